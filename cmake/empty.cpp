// A layer without a source file yet.
