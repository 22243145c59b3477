//! May a task start, given how far its upstream tasks have got. To be written.
