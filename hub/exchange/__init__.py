"""What comes in and goes out as files.

csv_values   one cell → a value in storage form, or a reason in words
csv_kinds    which tables can be loaded, and by what their rows are known
csv_lookup   codes → ids
csv_import   a file → rows through the change path, every bad line reported
prices       one price
"""
