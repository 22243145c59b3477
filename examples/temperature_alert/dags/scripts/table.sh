# Prints the ten highest readings above THRESHOLD in FILE as a table in HTML, on one line.
set -euo pipefail
tail -n +2 "$FILE" | sort -t, -k3,3nr -k1,1 | awk -F, -v threshold="$THRESHOLD" '
    BEGIN { printf "<table><tr><th>measured at</th><th>sensor</th><th>°C</th></tr>" }
    NR <= 10 && $3 > threshold + 0 { printf "<tr><td>%s</td><td>%s</td><td>%s</td></tr>", $1, $2, $3 }
    END { print "</table>" }'
