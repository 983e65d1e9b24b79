"""All tasks: looked for, looked at, acted on."""

from console.ui import bulk_dialog, bulk_strip, filters, grid, living, outage, parts

parts.title("Tasks")
wanted = filters.chosen()


@living.every(4)
@outage.told()
def board() -> None:
    """The part that lives."""
    bulk_strip.show()
    if wanted is None:
        return
    shot = grid.snapshot("tasks", wanted)
    shot.fill()
    if shot.ids:
        grid.show("tasks", shot)
        return
    shot.thaw()  # look again at the next tick
    if filters.any_chosen():
        parts.empty("filter_alt_off", "No task matches these filters.")
    else:
        parts.empty("inbox", "No task has been accepted yet.")


board()
bulk_dialog.show_if_asked()
