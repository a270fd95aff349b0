/*
 * reasons: the table of words and sentences, and how a group's state becomes one of them. See reasons.h. Holds no state.
 *
 * A sentence says what is so and what to do about it. It names no other workload, because conditions and events are read by people who may
 * not see each other's: who holds what stands in the why API alone, which asks what its caller may see.
 */
#include <scheduler/reasons.h>

#include <scheduler/holder_pod.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The engine's words are those of stint_reason_name. */
static const struct stint_reason_row rows[] = {
	{"QueueDoesNotExist", "queue \"{queue}\" does not exist: create the project, or name one that exists in label kai.scheduler/queue",
		false},
	{"NoQueue", "no queue is named, and there is none called \"default\": name a project's queue in label kai.scheduler/queue", false},
	{"QueueHasChildren",
		"queue \"{queue}\" is a department, and only projects hold work: name one of its projects in label kai.scheduler/queue",
		false},
	{"Incomplete", "{have} of the {need} pods that start together exist: it is tried when the others have been created", false},
	{"SubGroupIncomplete",
		"sub-group \"{part}\" has {have} of the {need} that start together: it is tried when the others have been created", false},
	{"SubGroupDoesNotExist",
		"{have} of its pods name sub-group \"{part}\", which its PodGroup does not have: correct label "
		"kai.scheduler/subgroup-name, or add the "
		"sub-group",
		false},
	{"SubGroupsInvalid", "the sub-groups of its PodGroup make no tree, for {detail}: correct spec.subGroups", true},
	{"TopologyDoesNotExist",
		"it asks for level \"{level}\" of topology \"{topology}\", which does not exist: create the Topology, or name one that "
		"exists and a level of it",
		false},
	{"TopologyNotSatisfied",
		"no single \"{level}\" of topology \"{topology}\" has room for its {need} pods, of {asked} each; {domain} takes {have} "
		"({detail}): it "
		"starts when one has room for all, or prefer that level instead of requiring it",
		false},
	{"SchedulingGated", "its pods have scheduling gates: it is tried when they have been taken away", false},
	{"OverLimit",
		"\"{queue}\" may use {bound} and uses {allocated}, and this asks for {asked}: ask for fewer, wait until {more} come free "
		"there, or "
		"raise the limit",
		false},
	{"NonPreemptibleOverQuota",
		"non-preemptible work of \"{queue}\" may use its quota of {bound} and uses {allocated}, and this asks for {asked}: make it "
		"preemptible, "
		"wait until {more} come free there, or raise the quota",
		false},
	{"NoRoom", "it asks for {asked}, and no node can give that now ({detail}): it starts when room comes free", false},
	{"NoRoomForGang",
		"there is room for {have} of the {need} pods that start together, of {asked} each ({detail}): it starts when there is room "
		"for all",
		false},
	{"NeverFits",
		"it asks for {asked}, and no node could give that even if nothing else ran ({detail}): ask for less, or for what the nodes "
		"have",
		true},
	{"GangNeverFits",
		"the whole cluster has room for {have} of the {need} pods that start together, of {asked} each ({detail}): ask for fewer, "
		"or add nodes",
		true},
	{"NeverWithinBounds", "{who} may use {bound} at most and this asks for {asked}: {remedy}", true},
	{"InvalidRequest", "{detail}", true},
	{"RoomIsPromised",
		"what is free is promised to a larger workload that starts within {detail}, and this one would not have gone by then: "
		"declare a "
		"shorter --time, or wait",
		false},
	{"RoomIsLeaving", "its place is kept for it, and pods are still leaving there: it starts when they have gone", false},
	{"ResourceClaimNotReady", "resource claim \"{name}\" {detail}", false},
	{"PodGroupDoesNotExist", "PodGroup \"{name}\" of annotation pod-group-name does not exist: create it, or take the annotation away",
		false},
	{"NoDeviceWiring", "its container would not learn which device it shares: submit it with stint, or add to that container {detail}",
		true},
	{"DeviceHolderFailed", "{detail}", false},
	{"BindRefused", "{detail}", false},
};

const struct stint_reason_row *stint_reason_rows(size_t *count)
{
	*count = STINT_COUNT(rows);
	return rows;
}

const struct stint_reason_row *stint_reason_row(const char *word)
{
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		if (word && strcmp(rows[i].word, word) == 0)
			return &rows[i];
	}
	return NULL;
}

static void add_fact(struct stint_buf *out, const char *name, size_t length, const struct stint_reason_facts *facts)
{
	const struct {
		const char *name, *text;
	} texts[] = {{"queue", facts->queue}, {"bound", facts->bound}, {"allocated", facts->allocated}, {"asked", facts->asked},
		{"more", facts->more}, {"detail", facts->detail}, {"name", facts->name}, {"who", facts->who}, {"remedy", facts->remedy},
		{"part", facts->part}, {"topology", facts->topology}, {"level", facts->level}, {"domain", facts->domain}};
	for (size_t i = 0; i < STINT_COUNT(texts); i++) {
		if (strlen(texts[i].name) == length && memcmp(texts[i].name, name, length) == 0)
			stint_buf_puts(out, texts[i].text ? texts[i].text : "?");
	}
	if (length == 4 && memcmp(name, "have", 4) == 0)
		stint_buf_printf(out, "%u", facts->have);
	if (length == 4 && memcmp(name, "need", 4) == 0)
		stint_buf_printf(out, "%u", facts->need);
}

char *stint_reason_sentence(const char *word, const struct stint_reason_facts *facts)
{
	const struct stint_reason_row *row = stint_reason_row(word);
	struct stint_buf out = {0};
	for (const char *at = row ? row->sentence : ""; *at;) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		if (end) {
			add_fact(&out, at + 1, (size_t)(end - at) - 1, facts);
			at = end + 1;
		} else {
			stint_buf_putc(&out, *at++);
		}
	}
	return stint_buf_steal(&out);
}

char *stint_amount_text(enum stint_dimension dimension, double amount)
{
	char number[STINT_QUANTITY_SIZE];
	if (amount < 0)
		return stint_strdup("without limit");
	if (dimension == STINT_MEMORY)
		return stint_format("%s of memory", stint_bytes_human((int64_t)amount, number));
	const double shown = dimension == STINT_CPU ? amount / 1000 : amount;
	stint_gpus_format(shown, number);
	const char *unit = dimension == STINT_CPU ? "CPU core" : "GPU";
	return stint_format("%s %s%s", number, unit, strcmp(number, "1") == 0 ? "" : "s");
}

/* What one pod asks for, in the words of who asked: "2 GPUs", "0.5 of a GPU", "10Gi of each of 2 GPUs", "4 CPU cores and 8Gi of memory". */
static char *request_text(const struct stint_pod_spec *spec)
{
	char number[STINT_QUANTITY_SIZE];
	const struct stint_gpu_ask *gpu = &spec->gpu;
	if (gpu->kind == STINT_GPU_WHOLE)
		return stint_amount_text(STINT_GPU, gpu->devices);
	if (gpu->kind != STINT_GPU_NONE) {
		stint_autofree char *of = gpu->devices > 1 ? stint_format("of each of %u GPUs", gpu->devices) : stint_strdup("of a GPU");
		return gpu->kind == STINT_GPU_MEMORY ? stint_format("%s %s", stint_bytes_human(gpu->memory_mib << 20, number), of)
						     : stint_format("%s %s", stint_gpus_format(gpu->portion, number), of);
	}
	stint_autofree char *cpu = stint_amount_text(STINT_CPU, (double)spec->request.cpu_milli);
	if (spec->request.memory_bytes == 0)
		return stint_steal(&cpu);
	return stint_format("%s and %s of memory", cpu, stint_bytes_human(spec->request.memory_bytes, number));
}

/* "3 node(s) didn't have enough resources: GPUs, 1 node(s) ..."; NULL when nothing is short. */
static char *causes_text(const uint32_t counts[static STINT_CAUSE_COUNT], const char *extended)
{
	stint_auto_buf text = {0};
	for (int cause = 0; cause < STINT_CAUSE_COUNT; cause++) {
		if (!counts[cause] || cause == STINT_CAUSE_REQUEST)
			continue;
		stint_buf_printf(&text, "%s%u %s", text.length ? ", " : "", counts[cause], stint_cause_text((enum stint_cause)cause));
		if (cause == STINT_CAUSE_EXTENDED && extended)
			stint_buf_printf(&text, " %s", extended);
	}
	return text.length ? stint_buf_steal(&text) : NULL;
}

/* ---- from a group's state to a word ------------------------------------------------------------------------------------------------------ */

static const char *word_of_hold(const struct stint_mirror_pod *pod)
{
	switch (pod->hold) {
	case STINT_HOLD_POD_GROUP: return "PodGroupDoesNotExist";
	case STINT_HOLD_SUBGROUPS: return "SubGroupsInvalid";
	case STINT_HOLD_WIRING: return "NoDeviceWiring";
	case STINT_HOLD_NONE:
	case STINT_HOLD_OWNER:
	case STINT_HOLD_BACKOFF: break;
	}
	return pod->note_word;
}

static const char *word_of_record(const struct stint_engine *engine, const struct stint_record *record, uint32_t group)
{
	switch (record->reason) {
	case STINT_REASON_NONE:
	case STINT_REASON_GATED: /* the API server itself says so in the condition */
	case STINT_REASON_COUNT: return NULL;
	case STINT_REASON_NO_QUEUE: {
		struct stint_group_view view;
		return stint_engine_group_view(engine, group, &view) && view.queue_name ? "QueueDoesNotExist" : "NoQueue";
	}
	case STINT_REASON_INNER_QUEUE: return "QueueHasChildren";
	case STINT_REASON_INCOMPLETE: return stint_engine_record_place(engine, group).part ? "SubGroupIncomplete" : "Incomplete";
	case STINT_REASON_NO_PART: return "SubGroupDoesNotExist";
	case STINT_REASON_NO_TOPOLOGY: return "TopologyDoesNotExist";
	case STINT_REASON_TOPOLOGY: return "TopologyNotSatisfied";
	case STINT_REASON_OVER_LIMIT: return "OverLimit";
	case STINT_REASON_OVER_QUOTA: return "NonPreemptibleOverQuota";
	case STINT_REASON_NO_ROOM: return record->need > 1 ? "NoRoomForGang" : "NoRoom";
	case STINT_REASON_PROMISED: return "RoomIsPromised";
	case STINT_REASON_LEAVING: return "RoomIsLeaving";
	case STINT_REASON_CLAIM: return "ResourceClaimNotReady";
	}
	return NULL;
}

const char *stint_explain_word(const struct stint_engine *engine, const struct stint_mirror_pod *pod)
{
	const char *word = word_of_hold(pod);
	if (word || !pod->group || pod->hold == STINT_HOLD_OWNER || pod->pod->gates_count > 0)
		return word;
	const struct stint_record record = stint_engine_record(engine, pod->group->handle);
	return word_of_record(engine, &record, pod->group->handle);
}

/* A record that no waiting will change has words of its own. */
static const char *final_word(const char *word, const struct stint_why *why)
{
	if (why->problem && why->record.reason != STINT_REASON_CLAIM)
		return "InvalidRequest";
	if (!why->never)
		return word;
	switch (why->record.reason) {
	case STINT_REASON_NO_ROOM: return why->record.need > 1 && why->room_when_empty > 0 ? "GangNeverFits" : "NeverFits";
	case STINT_REASON_OVER_LIMIT:
	case STINT_REASON_OVER_QUOTA: return "NeverWithinBounds";
	case STINT_REASON_NONE:
	case STINT_REASON_NO_QUEUE:
	case STINT_REASON_INNER_QUEUE:
	case STINT_REASON_INCOMPLETE:
	case STINT_REASON_GATED:
	case STINT_REASON_PROMISED:
	case STINT_REASON_NO_PART:
	case STINT_REASON_NO_TOPOLOGY:
	case STINT_REASON_TOPOLOGY:
	case STINT_REASON_LEAVING:
	case STINT_REASON_CLAIM:
	case STINT_REASON_COUNT: break;
	}
	return word;
}

/* What is wrong with a resource claim, after its name. */
static char *claim_text(const struct stint_why *why, const char *queue)
{
	switch (why->record.problem) {
	case STINT_CLAIM_UNKNOWN: return stint_strdup("does not exist: create it, or wait until it has been made from its template");
	case STINT_CLAIM_LEAVING: return stint_strdup("is being deleted: make it again");
	case STINT_CLAIM_NOT_UNDERSTOOD: return stint_format("is not understood: %s", why->problem);
	case STINT_CLAIM_NO_CLASS: return stint_format("asks for device class \"%s\", which does not exist", why->device_class);
	case STINT_CLAIM_CLASS_NOT_UNDERSTOOD:
		return stint_format("asks for device class \"%s\", which is not understood: %s", why->device_class, why->problem);
	case STINT_CLAIM_QUEUE:
		return stint_format("gives GPUs and is not labelled for the queue of its pods: give it label kai.scheduler/queue=%s",
			queue ? queue : "QUEUE");
	case STINT_CLAIM_CONSUMERS:
		return stint_format(
			"has %d consumers, as many as it may have: wait until pods that use it have ended", STINT_CLAIM_CONSUMERS_MAX);
	case STINT_CLAIM_TOO_MANY:
		return stint_format("asks for more than %d devices, or its pod has more claims than are looked at: ask for fewer",
			STINT_CLAIM_DEVICES_MAX);
	case STINT_CLAIM_FINE: break;
	}
	return stint_strdup("is ready now: it is tried again");
}

/* What the nodes lack: now, or for one that never fits, even if nothing ran on them. */
static char *nodes_text(const struct stint_why *why, bool never)
{
	if (why->nodes == 0)
		return stint_strdup("there are no nodes");
	stint_autofree char *causes = causes_text(never ? why->even_empty : why->short_of, why->extended);
	if (never && !causes)
		return stint_format("it has %u node(s)", why->nodes);
	if (!never && why->fitting > 0) /* of a gang whose first pods took what these have */
		return stint_format("%u node(s) have room, but not for all%s%s", why->fitting, causes ? ", " : "", causes ? causes : "");
	return stint_strdup(causes ? causes : "all their room is taken");
}

static void explain_record(struct stint_engine *engine, const struct stint_mirror_pod *pod, const char *word, struct stint_explanation *out)
{
	out->has_why = true;
	stint_engine_why(engine, pod->group->handle, &out->why);
	const struct stint_why *why = &out->why;
	const struct stint_record *record = &why->record;
	out->word = final_word(word, why);
	out->never = why->never || why->problem;

	struct stint_queue_view queue = {0};
	struct stint_group_view group = {0};
	stint_engine_group_view(engine, pod->group->handle, &group);
	const bool known = record->queue != STINT_NO_HANDLE && stint_engine_queue_view(engine, record->queue, &queue);
	stint_autofree char *bound = stint_amount_text(record->dimension, record->bound);
	stint_autofree char *allocated = stint_amount_text(record->dimension, record->allocated);
	struct stint_pod_view first;
	const bool no_room = record->reason == STINT_REASON_NO_ROOM || record->reason == STINT_REASON_TOPOLOGY;
	const bool by_pod = no_room && stint_engine_pod_view(engine, record->pod, &first);
	stint_autofree char *asked = by_pod ? request_text(first.pod->spec) : stint_amount_text(record->dimension, record->asked);
	const double missing = record->allocated + record->asked - record->bound;
	stint_autofree char *more = stint_amount_text(record->dimension, missing > 0 ? missing : 0);
	char until[STINT_TIME_SIZE];
	stint_autofree char *nodes = record->reason == STINT_REASON_PROMISED
		? stint_strdup(stint_duration_format(record->expected_ms - record->since_ms, until))
		: record->reason == STINT_REASON_CLAIM ? claim_text(why, group.queue_name)
						       : nodes_text(why, out->never);
	const char *queue_name = known ? queue.name : group.queue_name;
	const bool by_quota = record->reason == STINT_REASON_OVER_QUOTA; /* of work that may not borrow; the queue itself may hold more */
	stint_autofree char *who = stint_format("%s\"%s\"", by_quota ? "non-preemptible work of " : "", queue_name ? queue_name : "?");
	const struct stint_record_place place = stint_engine_record_place(engine, pod->group->handle);
	const struct stint_reason_facts facts = {.queue = queue_name,
		.part = place.part,
		.topology = place.topology,
		.level = place.level,
		.domain = place.domain ? place.domain : "none",
		.who = who,
		.remedy = by_quota ? "make it preemptible, ask for fewer, or raise the quota" : "ask for fewer, or raise the limit",
		.bound = bound,
		.allocated = allocated,
		.asked = asked,
		.more = more,
		.have = out->word && strcmp(out->word, "GangNeverFits") == 0 ? (uint32_t)why->room_when_empty : record->have,
		.need = record->need,
		.name = why->claim,
		.detail = why->problem && record->reason != STINT_REASON_CLAIM ? why->problem : nodes};
	if (out->word)
		out->sentence = stint_reason_sentence(out->word, &facts);
}

void stint_explain(struct stint_engine *engine, const struct stint_mirror_pod *pod, struct stint_explanation *out)
{
	*out = (struct stint_explanation){0};
	const char *held = word_of_hold(pod);
	if (!held) {
		if (pod->group && pod->hold != STINT_HOLD_OWNER)
			explain_record(engine, pod, stint_explain_word(engine, pod), out);
		return;
	}
	const struct stint_reason_facts facts = {.name = stint_object_annotation(&pod->pod->meta, "pod-group-name"),
		.detail = pod->hold == STINT_HOLD_WIRING		  ? stint_device_wiring_yaml
			: pod->hold == STINT_HOLD_SUBGROUPS && pod->group ? pod->group->problem
									  : pod->note};
	out->word = held;
	out->never = stint_reason_row(held)->never;
	out->sentence = stint_reason_sentence(held, &facts);
}

void stint_explanation_clear(struct stint_explanation *explanation)
{
	free(explanation->sentence);
	*explanation = (struct stint_explanation){0};
}
