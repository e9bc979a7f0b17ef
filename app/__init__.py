"""Communities of practice."""

import gc

# Modules stay for good. While a thousand of them are read the collector would look through them
# again and again, which takes a fifth of the time that a start takes.
gc.set_threshold(50_000, 20, 50)
