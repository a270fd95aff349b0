/*
 * withheld: why nothing is taken back from others for a group that waits for room, as a sentence and as JSON. Who has more than is due is named
 * only where the reader may see it. Holds no state.
 */
#include "record.h"

#include <stdlib.h>

/* `"nlp" has 8 GPUs and would have 12 GPUs`, `"nlp" has 8 GPUs` of what it does not ask for. */
static char *state_text(struct stint_engine *engine, const struct stint_withheld *withheld)
{
	const char *queue = stint_engine_queue_name(engine, withheld->queue);
	stint_autofree char *has = stint_amount_text(withheld->dimension, withheld->allocated);
	stint_autofree char *then = stint_amount_text(withheld->dimension, withheld->allocated + withheld->asked);
	if (withheld->asked <= 0)
		return stint_format("\"%s\" has %s", queue ? queue : "?", has);
	return stint_format("\"%s\" has %s and would have %s", queue ? queue : "?", has, then);
}

static char *due_text(const struct stint_withheld *withheld)
{
	const struct stint_surplus *surplus = &withheld->surplus;
	stint_autofree char *beyond = stint_amount_text(surplus->dimension, surplus->beyond);
	if (!surplus->givers_total)
		return stint_strdup("no other project has more than is due to it");
	return stint_format("others have %s more than is due to them, and that is not enough, or not where it would make room", beyond);
}

static char *withheld_text(struct stint_engine *engine, const struct stint_withheld *withheld)
{
	stint_autofree char *state = state_text(engine, withheld);
	stint_autofree char *bound = stint_amount_text(withheld->dimension, withheld->bound);
	switch (withheld->bar) {
	case STINT_BAR_NONE: break;
	case STINT_BAR_OFF: return stint_strdup("the scheduler takes nothing back from anybody: reclaim is none of its actions");
	case STINT_BAR_DEPTH: return stint_strdup("others of its queue come first, and no more of one queue are looked at");
	case STINT_BAR_SHARE:
		return stint_format("%s, more than its fair share of %s%s", state, bound,
			withheld->surplus.givers_total ? ": ask for fewer, or raise its quota or weight"
						       : ", and no other project has more than is due to it");
	case STINT_BAR_QUOTA:
		return stint_format(
			"what is not preemptible of %s, more than the quota of %s: make it preemptible, or raise the quota", state, bound);
	case STINT_BAR_RUNTIME: return stint_strdup("who would have to go has not run for its minimum runtime yet");
	case STINT_BAR_SPARED:
		return stint_strdup("who would have to go must not be evicted for now: a disruption budget or a refusal stands before it");
	case STINT_BAR_FIXED: return stint_strdup("what others have beyond what is due to them is not preemptible");
	case STINT_BAR_ABOVE:
		return stint_format("%s, more than its fair share of %s, and be fuller for that than who would have to give", state, bound);
	case STINT_BAR_DUE: return due_text(withheld);
	case STINT_BAR_ORDER: return stint_strdup("who would have to go comes up before it, and would be given the place again");
	case STINT_BAR_PLACE: return stint_strdup("even if all work of other projects went, it would have no place");
	}
	return NULL;
}

/* The name of a queue says as much as that of the project whose work it has. */
static void add_giver(struct stint_json *list, struct stint_engine *engine, const struct stint_surplus *surplus,
	const struct stint_giver *giver, const struct stint_reason_names *names)
{
	stint_auto_json *holder = stint_json_new_object();
	names->name(names->user, giver->group, holder);
	const bool visible = stint_json_get(holder, "workload") != NULL;
	const char *queue = stint_engine_queue_name(engine, giver->queue);
	stint_autofree char *name = visible && queue ? stint_format("\"%s\"", queue)
						     : stint_strdup(stint_json_string_or(stint_json_get(holder, "project"), "?"));
	stint_autofree char *has = stint_amount_text(surplus->dimension, giver->has);
	stint_autofree char *due = stint_amount_text(surplus->dimension, giver->due);
	stint_autofree char *text = stint_format("%s has %s, and its %s is %s", name, has, giver->by_quota ? "quota" : "fair share", due);
	struct stint_json *item = stint_json_append(list, stint_json_new_object());
	stint_json_set_string(item, "queue", visible && queue ? queue : name);
	stint_json_set_double(item, "has", giver->has);
	stint_json_set_double(item, "due", giver->due);
	stint_json_set_string(item, "due_by", giver->by_quota ? "quota" : "fair-share");
	stint_json_set_string(item, "text", text);
}

static void add_surplus(struct stint_json *reclaim, struct stint_engine *engine, const struct stint_surplus *surplus,
	const struct stint_reason_names *names)
{
	struct stint_json *beyond = stint_json_ensure_object(reclaim, "beyond");
	stint_json_set_string(beyond, "dimension", stint_dimension_name(surplus->dimension));
	stint_json_set_double(beyond, "amount", surplus->beyond);
	struct stint_json *list = stint_json_ensure_array(beyond, "queues");
	for (size_t i = 0; i < surplus->givers_count; i++)
		add_giver(list, engine, surplus, &surplus->givers[i], names);
	stint_json_set_int(beyond, "queues_total", (int64_t)surplus->givers_total);
}

/* Whoever is asked about in a moment: without that nobody would have found out whether he may be named. */
static void name_givers(struct stint_engine *engine, uint32_t group, const struct stint_reason_names *names)
{
	struct stint_surplus surplus;
	stint_auto_json *unsaid = stint_json_new_object();
	stint_engine_surplus(engine, group, &surplus);
	add_surplus(unsaid, engine, &surplus, names);
}

void withheld_add(struct stint_json *record, struct stint_engine *engine, uint32_t group, const struct stint_reason_names *names)
{
	struct stint_withheld withheld;
	if (names->known_only) {
		name_givers(engine, group, names);
		return;
	}
	if (!stint_engine_withheld(engine, group, &withheld))
		return;
	stint_autofree char *text = withheld_text(engine, &withheld);
	struct stint_json *reclaim = stint_json_ensure_object(record, "reclaim");
	stint_json_set_string(reclaim, "withheld_by", stint_bar_name(withheld.bar));
	stint_json_set_bool(reclaim, "alone", withheld.alone);
	stint_json_set_string(reclaim, "text", text);
	const char *queue = withheld.queue == STINT_NO_HANDLE ? NULL : stint_engine_queue_name(engine, withheld.queue);
	if (queue) {
		stint_json_set_string(reclaim, "queue", queue);
		stint_json_set_string(reclaim, "dimension", stint_dimension_name(withheld.dimension));
		stint_json_set_double(reclaim, "bound", withheld.bound);
		stint_json_set_double(reclaim, "allocated", withheld.allocated);
		stint_json_set_double(reclaim, "asked", withheld.asked);
	}
	add_surplus(reclaim, engine, &withheld.surplus, names);
}
