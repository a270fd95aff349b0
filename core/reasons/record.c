/*
 * record: what the engine knows of a group that waits, as JSON. See stint/reasons.h. Holds no state.
 */
#include "record.h"

static void add_nodes(struct stint_json *record, const struct stint_why *why)
{
	struct stint_json *nodes = stint_json_ensure_object(record, "nodes");
	stint_json_set_int(nodes, "total", why->nodes);
	stint_json_set_int(nodes, "fitting", why->fitting);
	struct stint_json *list = stint_json_ensure_array(nodes, "short");
	static const char *const words[STINT_CAUSE_COUNT] = {
		[STINT_CAUSE_REQUEST] = "request",
		[STINT_CAUSE_UNSCHEDULABLE] = "unschedulable",
		[STINT_CAUSE_NOT_READY] = "not-ready",
		[STINT_CAUSE_PRESSURE] = "pressure",
		[STINT_CAUSE_POOL] = "pool",
		[STINT_CAUSE_SELECTOR] = "selector",
		[STINT_CAUSE_TAINT] = "taint",
		[STINT_CAUSE_PORTS] = "ports",
		[STINT_CAUSE_GPU] = "gpu",
		[STINT_CAUSE_GPU_SHARE] = "gpu-share",
		[STINT_CAUSE_GPU_MEMORY] = "gpu-memory",
		[STINT_CAUSE_CPU] = "cpu",
		[STINT_CAUSE_MEMORY] = "memory",
		[STINT_CAUSE_PODS] = "pods",
		[STINT_CAUSE_MIG] = "mig",
		[STINT_CAUSE_LEGACY_MIG] = "legacy-mig",
		[STINT_CAUSE_AFFINITY] = "affinity",
		[STINT_CAUSE_ANTI_AFFINITY] = "anti-affinity",
		[STINT_CAUSE_AVOIDED] = "avoided",
		[STINT_CAUSE_SPREAD] = "spread",
		[STINT_CAUSE_EXTENDED] = "extended",
		[STINT_CAUSE_CLAIM] = "claim",
		[STINT_CAUSE_VOLUME_AWAY] = "volume-away",
		[STINT_CAUSE_NO_VOLUME] = "no-volume",
		[STINT_CAUSE_ZONES] = "zones",
	};
	for (int cause = 0; cause < STINT_CAUSE_COUNT; cause++) {
		if (!why->short_of[cause])
			continue;
		struct stint_json *item = stint_json_append(list, stint_json_new_object());
		stint_json_set_string(item, "cause", words[cause]);
		stint_json_set_string(item, "text", stint_cause_text((enum stint_cause)cause));
		stint_json_set_int(item, "nodes", why->short_of[cause]);
		stint_json_set_int(item, "even_when_empty", why->even_empty[cause]);
	}
}

static void add_place(struct stint_json *record, const struct stint_why *why, const struct stint_record_place *place)
{
	if (place->part)
		stint_json_set_string(record, "sub_group", place->part);
	if (!place->topology)
		return;
	struct stint_json *topology = stint_json_ensure_object(record, "topology");
	stint_json_set_string(topology, "topology", place->topology);
	stint_json_set_string(topology, "level", place->level);
	if (why->record.reason != STINT_REASON_TOPOLOGY)
		return;
	if (place->domain)
		stint_json_set_string(topology, "closest", place->domain);
	stint_json_set_int(topology, "has_room_for", why->record.have);
	stint_json_set_int(topology, "needs", why->record.need);
}

static void add_bound(struct stint_json *record, struct stint_engine *engine, const struct stint_record *of)
{
	struct stint_queue_view queue;
	if ((of->reason != STINT_REASON_OVER_LIMIT && of->reason != STINT_REASON_OVER_QUOTA) ||
		!stint_engine_queue_view(engine, of->queue, &queue))
		return;
	struct stint_json *bound = stint_json_ensure_object(record, "bound");
	stint_json_set_string(bound, "queue", queue.name);
	stint_json_set_string(bound, "dimension", stint_dimension_name(of->dimension));
	stint_json_set_double(bound, "bound", of->bound);
	stint_json_set_double(bound, "allocated", of->allocated);
	stint_json_set_double(bound, "asked", of->asked);
}

static void add_restraint(struct stint_json *record, const struct stint_record *of, int64_t now_ms, const struct stint_reason_names *names)
{
	char time[STINT_TIME_SIZE];
	if (of->restraint == STINT_RESTRAINT_NONE)
		return;
	struct stint_json *restraint = stint_json_ensure_object(record, "restraint");
	stint_json_set_string(restraint, "kind", stint_restraint_name(of->restraint));
	stint_json_set_string(restraint, "action", stint_action_name(of->restrained_action));
	stint_json_set_string(restraint, "until", stint_time_format(of->restrained_until_ms, time));
	stint_json_set_int(restraint, "in_s", of->restrained_until_ms > now_ms ? (of->restrained_until_ms - now_ms + 999) / 1000 : 0);
	if (of->restraint == STINT_RESTRAINT_RUNTIME)
		names->name(names->user, of->restrained_by, stint_json_ensure_object(restraint, "protected"));
}

static void add_holder(struct stint_json *list, const struct stint_holder *holder, int64_t now_ms, const struct stint_reason_names *names)
{
	struct stint_json *item = stint_json_append(list, stint_json_new_object());
	const int64_t end_ms = names->name(names->user, holder->group, item);
	stint_json_set_int(item, "pods", holder->pods);
	stint_json_set_double(item, "gpus", holder->gpus);
	stint_json_set_int(item, "cpu_milli", holder->cpu_milli);
	stint_json_set_int(item, "memory_bytes", holder->memory_bytes);
	stint_json_set_bool(item, "leaving", holder->leaving);
	if (end_ms >= 0)
		stint_json_set_int(item, "ends_in_s", end_ms > now_ms ? (end_ms - now_ms) / 1000 : 0);
}

void stint_reason_record(struct stint_json *record, struct stint_engine *engine, uint32_t group, const struct stint_why *why,
	int64_t now_ms, const struct stint_reason_names *names)
{
	const enum stint_reason reason = why->record.reason;
	char time[STINT_TIME_SIZE];
	if (why->record.since_ms >= 0)
		stint_json_set_string(record, "since", stint_time_format(why->record.since_ms, time));
	if (why->position) {
		stint_json_set_int(record, "position", why->position);
		stint_json_set_int(record, "waiting_in_queue", why->waiting);
	}
	add_bound(record, engine, &why->record);
	add_restraint(record, &why->record, now_ms, names);
	const struct stint_record_place place = stint_engine_record_place(engine, group);
	add_place(record, why, &place);
	if (reason == STINT_REASON_NO_ROOM || reason == STINT_REASON_TOPOLOGY || reason == STINT_REASON_LEAVING)
		add_nodes(record, why);
	if ((reason == STINT_REASON_NO_ROOM || reason == STINT_REASON_TOPOLOGY) && !why->never)
		withheld_add(record, engine, group, names);
	if (!names->known_only)
		remedies_add(stint_json_ensure_array(record, "changes"), engine, group);
	struct stint_json *holders = stint_json_ensure_array(record, "holders");
	for (size_t i = 0; i < why->holders_count && !why->never; i++) /* nobody's going away would help it */
		add_holder(holders, &why->holders[i], now_ms, names);
	stint_json_set_int(record, "holders_total", why->never ? 0 : (int64_t)why->holders_total);
	const int64_t start_ms = why->never || names->known_only ? 0 : stint_engine_expected(engine, group, now_ms);
	if (start_ms > 0)
		stint_json_set_int(record, "starts_in_s", start_ms > now_ms ? (start_ms - now_ms + 999) / 1000 : 0);
}
