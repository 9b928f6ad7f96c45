"""Is a difference real? Results item by item of two versions, paired, resampled and put into words."""
