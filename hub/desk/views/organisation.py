"""The organisation: offices, territories, positions, people, who serves what, rights, devices' posts."""

from fieldmesh.service.translation import N_
from hub.desk.view import Area, Child, Filter, View

VIEWS = (
    View(
        "positions", "position", Area.ORGANISATION, N_("Positions"), "organisation.view",
        ("code", "name", "role_id.name", "parent_position_id.name", "territory_id.name", "team", "status"),
        change="organisation.change",
        editable=("name", "role_id", "parent_position_id", "territory_id", "distributor_id", "team", "status"),
        filters=(Filter("role_id"), Filter("parent_position_id"), Filter("status", ("active", "inactive"))),
        order=("code",),
        children=(
            Child("assignments", "position_id"), Child("outlet-assignments", "position_id"),
            Child("positions", "parent_position_id"), Child("devices", "position_id"),
            Child("routes", "position_id"), Child("targets", "position_id"),
        ),
        hint=N_("Load positions from a CSV file (Administration, Import), or add the first one here."),
    ),
    View(
        "territories", "territory", Area.ORGANISATION, N_("Territories"), "organisation.view",
        ("code", "name", "parent_id.name", "org_unit_id.name", "level", "valid_from", "valid_to"),
        change="organisation.change",
        editable=("name", "parent_id", "org_unit_id", "level", "valid_from", "valid_to"),
        filters=(Filter("org_unit_id"), Filter("parent_id")), order=("code",),
        children=(Child("territories", "parent_id"), Child("positions", "territory_id")),
        hint=N_("Load territories from a CSV file (Administration, Import)."),
    ),
    View(
        "offices", "org_unit", Area.ORGANISATION, N_("Offices"), "organisation.view",
        ("code", "name", "kind", "parent_id.name", "time_zone"),
        change="organisation.change", editable=("name", "kind", "parent_id", "time_zone", "calendar"),
        filters=(Filter("kind", ("company", "region", "office", "distributor")),),
        order=("code",),
        children=(Child("territories", "org_unit_id"), Child("gateways", "org_unit_id")),
        hint=N_("Load offices from a CSV file (Administration, Import)."),
    ),
    View(
        "people", "app_user", Area.ORGANISATION, N_("People"), "people.view",
        ("login", "person", "org_unit_id.name", "auth_kind", "status"),
        change="people.change", editable=("person", "org_unit_id", "status"),
        filters=(Filter("org_unit_id"), Filter("status", ("active", "inactive"))),
        order=("login",), label=("login", "person"),
        children=(Child("assignments", "user_id"), Child("devices", "user_id"), Child("sessions", "user_id")),
        audited=True,
        hint=N_("Add people here or load them from a CSV file (Administration, Import)."),
    ),
    View(
        "assignments", "assignment", Area.ORGANISATION, N_("Who fills which position"), "organisation.view",
        ("user_id.person", "position_id.name", "kind", "valid_from", "valid_to"),
        filters=(Filter("kind", ("main", "substitute")),),
        order=("-valid_from",), label=("user_id.person", "position_id.name"),
        hint=N_("Open a person or a position and give the one to the other."),
    ),
    View(
        "outlet-assignments", "outlet_assignment", Area.ORGANISATION, N_("Who serves which outlet"),
        "organisation.view",
        ("outlet_id.name", "outlet_id.code", "position_id.name", "valid_from", "valid_to"),
        filters=(Filter("position_id"),), order=("-valid_from",), label=("outlet_id.name", "position_id.name"),
        hint=N_("Give outlets to positions under Organisation, Move outlets."),
    ),
    View(
        "roles", "role", Area.ORGANISATION, N_("Roles"), "rights.view",
        ("code", "name", "kind"), change="rights.change", editable=("name",),
        order=("code",),
        children=(Child("permissions", "role_id"), Child("workplaces", "role_id")),
        hint=N_("Standard roles are made with the hub."),
    ),
    View(
        "permissions", "permission", Area.ORGANISATION, N_("Wider scopes of roles"), "rights.view",
        ("function_code", "role_id.name", "scope_rule"), order=("function_code",),
        label=("function_code",), in_menu=False,
        hint=N_("A role sees what its place in the tree shows; a row here widens that for one function."),
    ),
    View(
        "workplaces", "workplace", Area.ORGANISATION, N_("Workplaces"), "rights.view",
        ("code", "name", "kind", "role_id.name"), change="rights.change", editable=("name", "role_id"),
        filters=(Filter("kind", ("mobile", "stationary", "web")),), order=("code",),
        children=(Child("workplace-functions", "workplace_id"),),
        hint=N_("Standard workplaces are made with the hub."),
    ),
    View(
        "workplace-functions", "workplace_function", Area.ORGANISATION, N_("Functions of workplaces"), "rights.view",
        ("function_code", "workplace_id.name", "enabled", "parameters"),
        change="rights.change", editable=("enabled", "parameters"),
        order=("function_code",), label=("function_code",), in_menu=False,
        hint=N_("A workplace without rows has the functions that its role's kind has by default."),
    ),
)  # fmt: skip
