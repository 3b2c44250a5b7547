"""The C++ core. Private: what it offers has its public name in `kruise`."""

__version__: str
