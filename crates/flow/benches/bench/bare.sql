INSERT INTO bare (number, word) VALUES ($1, 'word')
