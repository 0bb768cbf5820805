"""Reports: what figures mean, questions over them, answers in the asker's scope. Promise 6 (Scope).

`model` says once what there is to ask; `answers` asks the columnar copy; nobody below a person's scope is counted.
"""
