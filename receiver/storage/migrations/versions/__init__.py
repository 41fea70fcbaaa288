"""One file per step, numbered; `migrations/script.py.mako` is the template for the next."""
