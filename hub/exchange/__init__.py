"""What comes in and goes out as files.

csv_values   one cell → a value in storage form, or a reason in words
csv_kinds    which tables can be loaded, and by what their rows are known
csv_lookup   codes and keys → ids
csv_tree     rows below rows of their own table
csv_batch    lines → rows, every bad line reported
csv_import   a file → rows through the change path
prices       one price
"""
