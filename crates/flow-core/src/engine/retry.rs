//! How long to wait before the next try. To be written.
