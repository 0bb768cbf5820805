"""What people do at head office. Each function asks whether the person may, and shows what their scope shows.

people     who somebody is today: posts, functions, scope
view       one statement for each kind of record; views/ holds them
asking     the texts of an address → filters, search, place in the list
lists      lists and records
words      what columns and coded values are called
"""
