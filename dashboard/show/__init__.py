"""Building blocks of the pages: words, markup and charts."""
