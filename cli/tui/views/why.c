/*
 * why: the scheduler's answer to why a workload waits, as a tree: what binds it, who has what it needs, what would help.
 */
#include <string.h>

#include "cli/tui/views/common.h"

static const char *text_of(const struct stint_json *object, const char *key)
{
	return stint_json_string(stint_json_get(object, key));
}

static void say_branch(const struct tui_app *app, struct tui_text *text, bool last)
{
	const struct tui_cells cells = {.utf8 = app->settings.utf8};
	tui_say(text, TUI_FRAME, "  %s ", tui_glyph(&cells, last ? TUI_LAST : TUI_BRANCH));
}

static char *ends(const struct stint_json *holder)
{
	int64_t seconds = 0;
	char age[STINT_TIME_SIZE];
	if (stint_json_bool_or(stint_json_get(holder, "leaving"), false))
		return stint_strdup("is leaving");
	if (!stint_json_int(stint_json_get(holder, "ends_in_s"), &seconds))
		return stint_strdup("has no end that is known");
	return stint_format("ends in %s", stint_duration_format(seconds * 1000, age));
}

static void say_holders(const struct tui_app *app, const struct stint_json *record, struct tui_text *text)
{
	const struct stint_json *holders = stint_json_get(record, "holders");
	if (!stint_json_first(holders))
		return;
	const int64_t shown = (int64_t)stint_json_count(holders), total = stint_json_int_or(stint_json_get(record, "holders_total"), shown);
	tui_say_title(text, "Who has it");
	stint_json_each(holder, holders) {
		char gpus[STINT_QUANTITY_SIZE];
		double count = 0;
		const char *project = text_of(holder, "project"), *workload = text_of(holder, "workload");
		stint_autofree char *end = ends(holder);
		stint_json_double(stint_json_get(holder, "gpus"), &count);
		say_branch(app, text, !stint_json_next(holder) && total <= shown);
		tui_say(text, tui_project_role(project), "%s%s%s", project ? project : "?", workload ? "/" : "", workload ? workload : "");
		const long long pods = stint_json_int_or(stint_json_get(holder, "pods"), 0);
		stint_gpus_format(count, gpus);
		tui_say(text, TUI_TEXT, "  %s GPU%s, %lld pod%s", gpus, strcmp(gpus, "1") == 0 ? "" : "s", pods, pods == 1 ? "" : "s");
		tui_say(text, TUI_DIM, ", %s", end);
		tui_say_line(text);
	}
	if (total > shown) {
		say_branch(app, text, true);
		tui_say(text, TUI_DIM, "and %lld more", (long long)(total - shown));
		tui_say_line(text);
	}
}

static void say_list(const struct tui_app *app, const char *title, const struct stint_json *list, const char *first, const char *second,
	enum tui_role role, struct tui_text *text)
{
	if (!stint_json_first(list))
		return;
	tui_say_title(text, title);
	stint_json_each(item, list) {
		say_branch(app, text, !stint_json_next(item));
		tui_say(text, role, "%s", stint_json_string_or(stint_json_get(item, first), ""));
		if (second)
			tui_say(text, TUI_TEXT, ": %s", stint_json_string_or(stint_json_get(item, second), ""));
		tui_say_line(text);
	}
}

static void say_reclaim(const struct tui_app *app, const struct stint_json *reclaim, struct tui_text *text)
{
	const char *why = text_of(reclaim, "text");
	if (!why)
		return;
	tui_say_title(text, "Why nothing is taken back for it");
	tui_say(text, TUI_TEXT, "  %s", why);
	tui_say_line(text);
	say_list(app, "Who has more than is due", stint_json_at(reclaim, "beyond", "queues"), "text", NULL, TUI_WARN, text);
}

static void say_head(const struct stint_json *record, struct tui_text *text)
{
	const char *phase = stint_json_string_or(stint_json_get(record, "phase"), ""), *reason = text_of(record, "reason");
	const char *name = stint_json_string_or(stint_json_get(record, "workload"), ""), *message = text_of(record, "message");
	const bool never = stint_json_bool_or(stint_json_get(record, "never"), false);
	tui_say(text, TUI_STRONG, "%s ", name);
	if (strcmp(phase, "Waiting") == 0)
		tui_say(text, never ? TUI_BAD : TUI_WARN, "%s: %s", never ? "can never run as asked" : "waits",
			reason ? reason : "no reason is known yet");
	else if (strcmp(phase, "Placed") == 0)
		tui_say(text, TUI_GOOD, "does not wait: all its pods have a place");
	else
		tui_say(text, TUI_DIM, "has no pods that could be placed%s%s", reason ? ": " : "", reason ? reason : "");
	tui_say_line(text);
	if (message) {
		tui_say(text, TUI_TEXT, "%s", message);
		tui_say_line(text);
	}
	tui_say_line(text);
}

static void say_fields(const struct stint_json *record, struct tui_text *text)
{
	int64_t position = 0, seconds = 0;
	char age[STINT_TIME_SIZE];
	if (stint_json_int(stint_json_get(record, "position"), &position) && position > 0) {
		stint_autofree char *place = stint_format("%s, number %lld of %lld that wait there",
			stint_json_string_or(stint_json_get(record, "queue"), "none"), (long long)position,
			(long long)stint_json_int_or(stint_json_get(record, "waiting_in_queue"), 0));
		tui_say_field(text, "Queue", TUI_TEXT, place);
	} else {
		tui_say_field(text, "Queue", TUI_TEXT, text_of(record, "queue"));
	}
	if (stint_json_int(stint_json_get(record, "starts_in_s"), &seconds)) {
		stint_autofree char *starts = stint_format(
			"in %s at the latest, when what holds it has run out of time", stint_duration_format(seconds * 1000, age));
		tui_say_field(text, "Starts", TUI_GOOD, starts);
	}
	tui_say_field(text, "Since", TUI_TEXT, text_of(record, "since"));
	tui_say_field(text, "Told by", TUI_DIM, text_of(record, "source"));
}

static void write(const struct tui_app *app, const struct tui_screen *screen, struct tui_text *text)
{
	const struct stint_json *record = screen->record;
	if (!record) {
		tui_say(text, screen->problem ? TUI_BAD : TUI_DIM, "%s", screen->problem ? screen->problem : "asking the scheduler ...");
		tui_say_line(text);
		return;
	}
	say_head(record, text);
	say_fields(record, text);
	say_holders(app, record, text);
	say_reclaim(app, stint_json_get(record, "reclaim"), text);
	say_list(app, "What would help", stint_json_get(record, "changes"), "text", NULL, TUI_GOOD, text);
	say_list(app, "Events", stint_json_get(record, "events"), "reason", "message", TUI_WARN, text);
	if (screen->problem) { /* what had to be given up on the way */
		tui_say_title(text, "Notes");
		tui_say(text, TUI_DIM, "%s", screen->problem);
		tui_say_line(text);
	}
}

const struct tui_view tui_view_why = {.name = "why", .title = "Why", .where = TUI_IN_TEXT, .write = write};
