"""What people do at head office. Each function asks whether the person may, and shows what their scope shows.

people     who somebody is today: posts, functions, scope
authority  nobody hands on rights that they do not have
signin     sessions, and the steps that are left before one opens anything
guard      waiting after wrong passwords and codes
passwords  changed, or chosen anew with a code
second_factor  an app's codes, recovery codes
account    what people settle for themselves
view       one statement for each kind of record; views/ holds them
asking     the texts of an address → filters, search, place in the list
lists      lists and records
words      what columns and coded values are called
"""
