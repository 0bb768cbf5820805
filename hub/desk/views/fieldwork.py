"""Plans of the field: routes, planned visits, targets, tasks, messages, working days, surveys."""

from fieldmesh.service.translation import N_
from hub.desk.view import Area, Child, Filter, View

VIEWS = (
    View(
        "routes", "route", Area.ROUTES, N_("Routes"), "route.view",
        ("code", "name", "position_id.name", "weekday", "cycle_weeks", "week_mask"),
        change="route.change", editable=("name", "cycle_weeks", "week_mask", "weekday"),
        creatable=("position_id", "code", "name", "cycle_weeks", "week_mask", "weekday"),
        filters=(Filter("position_id"), Filter("weekday")), order=("code",),
        children=(Child("route-stops", "route_id"),),
        hint=N_("Load routes from a CSV file (Administration, Import)."),
    ),
    View(
        "route-stops", "route_outlet", Area.ROUTES, N_("Stops of routes"), "route.view",
        ("sequence_number", "outlet_id.name", "outlet_id.address", "planned_minutes", "time_window"),
        change="route.change", editable=("sequence_number", "planned_minutes", "time_window"),
        creatable=("route_id", "outlet_id", "sequence_number", "planned_minutes"),
        order=("sequence_number",), label=("route_id.name", "outlet_id.name"), in_menu=False,
        hint=N_("Add outlets to the route."),
    ),
    View(
        "visit-plans", "visit_plan", Area.ROUTES, N_("Planned visits"), "route.view",
        ("date", "position_id.name", "sequence_number", "outlet_id.name", "outlet_id.address", "source", "works"),
        change="route.change", editable=("date", "sequence_number", "works"),
        creatable=("position_id", "date", "outlet_id", "sequence_number", "works"),
        filters=(Filter("date"), Filter("position_id")), order=("-date", "sequence_number"),
        label=("outlet_id.name", "date"),
        hint=N_("Visits are planned from routes under Routes and plans, Calendar."),
    ),
    View(
        "targets", "plan", Area.ROUTES, N_("Targets"), "target.view",
        ("period", "kpi", "position_id.name", "outlet_id.name", "product_dimension", "value", "version", "state"),
        filters=(Filter("period"), Filter("kpi"), Filter("position_id"), Filter("state")),
        order=("-period", "kpi"), label=("kpi", "period"),
        hint=N_("Set a target for the top of the tree and split it downwards under Routes and plans, Targets."),
    ),
    View(
        "tasks", "task", Area.ROUTES, N_("Tasks"), "task.view",
        ("created_at", "text", "outlet_id.name", "position_id.name", "due_date", "priority", "state"),
        change="task.change", editable=("text", "due_date", "priority", "needs_photo", "outlet_id", "position_id"),
        creatable=("text", "position_id", "outlet_id", "due_date", "priority", "needs_photo"),
        filters=(Filter("state"), Filter("position_id"), Filter("due_date")), label=("text",),
        hint=N_("Give a rep a task for an outlet; it comes with their next full sync."),
    ),
    View(
        "messages", "message", Area.ROUTES, N_("Messages"), "message.view",
        ("created_at", "position_id.name", "text", "urgent", "valid_from", "valid_to"),
        filters=(Filter("position_id"), Filter("urgent")), label=("text",),
        children=(Child("message-receipts", "message_id"),),
        hint=N_("Write to a position or to everyone below it; devices show it after the next sync."),
    ),
    View(
        "message-receipts", "message_receipt", Area.ROUTES, N_("Who has read it"), "message.view",
        ("read_at", "user_id.person"), order=("read_at",), label=("user_id.person",), in_menu=False,
        hint=N_("Nobody has read it yet."),
    ),
    View(
        "work-days", "work_day", Area.ROUTES, N_("Working days"), "schedule.view",
        ("date", "position_id.name", "user_id.person", "opened_at", "closed_at", "odometer_start", "odometer_end",
         "close_reason"),
        filters=(Filter("date"), Filter("position_id")), order=("-date",), label=("position_id.name", "date"),
        hint=N_("A working day begins when a rep opens it on the device."),
    ),
    View(
        "surveys", "survey_template", Area.ROUTES, N_("Surveys"), "survey.view",
        ("code", "name", "version", "target_rule", "valid_from", "valid_to", "status"),
        change="survey.change", editable=("name", "target_rule", "valid_from", "valid_to", "status"),
        filters=(Filter("status", ("active", "inactive")),), order=("code",),
        children=(Child("questions", "template_id"), Child("survey-responses", "template_id")),
        hint=N_("Load surveys from a CSV file (Administration, Import)."),
    ),
    View(
        "questions", "question", Area.ROUTES, N_("Questions"), "survey.view",
        ("order_number", "text", "type", "required", "photo_rule", "condition"),
        change="survey.change", editable=("order_number", "text", "required", "condition"),
        order=("order_number",), label=("text",), in_menu=False,
        hint=N_("Load questions from a CSV file (Administration, Import)."),
    ),
)  # fmt: skip
