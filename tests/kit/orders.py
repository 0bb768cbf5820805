"""A very small folder of wholesale orders with the dirt that the real one has, for tests of the importer."""

import gzip
from pathlib import Path

STORES = """store_no,name,address,city,zip,county,lat,lon,state,status,county_src,county_geo
1,Corner  Shop,1 Main,MT PLEASANT,52641,O'BRIEN,41.000000,-91.500000,IA,A,row,OBRIEN
2,Corner Shop,2 Main,MOUNT PLEASANT,52641,OBRIEN,41.000000,-91.500000,IA,A,row,OBRIEN
3,Old Shop,3 Main,ADAIR,,ADAIR,,,IA,I,row,ADAIR
4,Lone Shop,4 Main,ADAIR,50002,,41.600000,-94.600000,IA,A,,ADAIR
"""
ITEMS = """item_no,description,category,vendor,pack,bottle_ml,cost,retail,inner_pack,case_cost,upc,scc,list_date
10,RYE,WHISKY,BROWN,12,750,10.00,15.00,1,120.00,123456789012,900,2020-01-01
11,RUM,RUM,BROWN,6,750,10.00,15.00,12,61.00,123456789012,901,2022-07-20
12,GIN,,GREY,6,0,10.00,15.00,6,60.00,,902,2022-12-01
"""
ORDERS = """order,line,date,store_no,item_no,bottles,sale
INV-492710,1,2022-07-15,1,10,12,180.00
INV-492710,2,2022-07-15,1,11,5,75.00
INV-450000,1,2022-07-17,2,10,1,14.00
INV-450000,3,2022-07-17,2,10,2,30.00
RINV-000001,1,2022-07-20,3,10,-1,-15.00
INV-450001,1,2022-07-21,4,10,3,45.01
INV-450002,1,2022-07-21,2,10,3,45.00
"""


def write_folder(
    folder: Path, *, stores: str = STORES, items: str = ITEMS, orders: str = ORDERS
) -> Path:
    """The three files stand in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("stores", stores), ("items", items), ("orders", orders)):
        with gzip.open(folder / f"{name}.csv.gz", "wt", encoding="utf-8") as target:
            target.write(text)
    return folder
