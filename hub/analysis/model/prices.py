"""What goods cost by the default price lists. docs/protocol.md says which list holds."""

from hub.storage.columnar.terms import Chosen, Column, Is, Linked, On, Relation, Test


def list_price(goods: On, seller: str, at: str, *only: Test) -> Chosen:
    """The newest price that held: of the seller's own default list, else of the company's; by their priority.

    Args:
        goods: which prices are of the goods.
        seller: path of the distributor.
        at: path of the day or moment.
        only: what a price must pass.
    """
    since = [
        On(path, at, or_empty=True, relation=Relation.UP_TO)
        for path in ("valid_from", "price_list_id.valid_from")
    ]
    until = On("price_list_id.valid_to", at, or_empty=True, relation=Relation.FROM)
    of_seller = On("price_list_id.distributor_id", seller, or_empty=True)
    fits = (Is(Column("price_list_id.is_default"), (1,)), *only)
    return Chosen(
        "amount",
        "valid_from",
        Linked("price", (goods, *since, until, of_seller), fits),
        last=True,
        first_by=("price_list_id.distributor_id", "price_list_id.priority"),
    )
