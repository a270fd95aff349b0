/*
 * explain: from what the engine has noted about a group to a word and its sentence. See stint/reasons.h. Holds no state.
 */
#include "record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- parts of sentences -------------------------------------------------------------------------------------------------------------- */

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

/*
 * What a bound forbids, as it was asked for. Queues are charged in hundredths of a device, rounded up: where that is more, both are said.
 * pod: the first that waits; NULL: what it asks for is not known.
 */
static char *bounded_text(const struct stint_record *record, const struct stint_pod_view *pod)
{
	char number[STINT_QUANTITY_SIZE];
	const struct stint_gpu_ask *gpu = pod ? &pod->pod->spec->gpu : NULL;
	if (record->dimension != STINT_GPU || !gpu || gpu->kind != STINT_GPU_FRACTION || pod->gpus <= 0)
		return stint_amount_text(record->dimension, record->asked);
	const double pods = record->asked / pod->gpus, each = gpu->portion * gpu->devices;
	stint_autofree char *charged = stint_amount_text(STINT_GPU, record->asked);
	stint_autofree char *asked = stint_amount_text(STINT_GPU, pods * each);
	if (strcmp(asked, charged) == 0 || fabs(pods - round(pods)) > 0.001)
		return stint_steal(&charged);
	return stint_format("%s, which count as %s", asked, stint_gpus_format(record->asked, number));
}

/* "3 node(s) didn't have enough resources: GPUs, 1 node(s) ..."; NULL when nothing is short. */
static char *causes_text(const uint32_t counts[static STINT_CAUSE_COUNT], const char *extended)
{
	stint_auto_buf text = {0};
	for (int cause = 0; cause < STINT_CAUSE_COUNT; cause++) {
		if (!counts[cause] || cause == STINT_CAUSE_REQUEST || cause == STINT_CAUSE_POOL)
			continue;
		stint_buf_printf(&text, "%s%u %s", text.length ? ", " : "", counts[cause], stint_cause_text((enum stint_cause)cause));
		if (cause == STINT_CAUSE_EXTENDED && extended)
			stint_buf_printf(&text, " %s", extended);
	}
	return text.length ? stint_buf_steal(&text) : NULL;
}

/* ---- from a group's state to a word -------------------------------------------------------------------------------------------------- */

/* As many run as must run together; what waits is more of the same. */
static bool is_surplus(const struct stint_engine *engine, uint32_t group)
{
	struct stint_group_view view;
	return stint_engine_group_view(engine, group, &view) && view.active >= view.min_member;
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
	case STINT_REASON_NO_ROOM: return record->need > 1 && !is_surplus(engine, group) ? "NoRoomForGang" : "NoRoom";
	case STINT_REASON_PROMISED: return "RoomIsPromised";
	case STINT_REASON_LEAVING: return "RoomIsLeaving";
	case STINT_REASON_CLAIM: return "ResourceClaimNotReady";
	}
	return NULL;
}

/* Room is lacking, and nobody may be evicted for it yet; NULL: that is not so. */
static const char *word_of_restraint(const struct stint_record *record)
{
	if (record->reason != STINT_REASON_NO_ROOM && record->reason != STINT_REASON_TOPOLOGY)
		return NULL;
	switch (record->restraint) {
	case STINT_RESTRAINT_NONE: break;
	case STINT_RESTRAINT_DELAY: return "PreemptionDelayNotElapsed";
	case STINT_RESTRAINT_RUNTIME: return "MinRuntimeNotElapsed";
	}
	return NULL;
}

const char *stint_explain_group_word(const struct stint_engine *engine, uint32_t group)
{
	const struct stint_record record = stint_engine_record(engine, group);
	const char *restraint = word_of_restraint(&record);
	return restraint ? restraint : word_of_record(engine, &record, group);
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
	const uint32_t nodes = why->nodes - why->short_of[STINT_CAUSE_POOL];
	if (nodes == 0)
		return stint_strdup(why->nodes == 0 ? "there are no nodes" : "there are no nodes in it");
	stint_autofree char *causes = causes_text(never ? why->even_empty : why->short_of, why->extended);
	if (never && !causes)
		return stint_format("it has %u node(s)", nodes);
	if (!never && why->fitting > 0) /* of a gang whose first pods took what these have */
		return stint_format("%u node(s) have room, but not for all%s%s", why->fitting, causes ? ", " : "", causes ? causes : "");
	return stint_strdup(causes ? causes : "all their room is taken");
}

/* `pool "a"`, `pools "a", "b" and "c"`; NULL: it may use every node. */
static char *pools_text(const struct stint_engine *engine, uint32_t group)
{
	const char *names[STINT_MAX_POOLS];
	const size_t count = stint_engine_group_pools(engine, group, names);
	struct stint_buf text = {0};
	for (size_t i = 0; i < count; i++) {
		const char *before = i == 0 ? (count > 1 ? "pools " : "pool ") : i + 1 == count ? " and " : ", ";
		stint_buf_printf(&text, "%s\"%s\"", before, names[i]);
	}
	return count ? stint_buf_steal(&text) : NULL;
}

/* ---- the sentence --------------------------------------------------------------------------------------------------------------------- */

enum { TEXTS_MAX = 16 };

/* A group that is being told of, and the texts that its facts borrow until that is done. */
struct telling {
	struct stint_engine *engine;
	uint32_t group;
	const struct stint_explanation *out; /* with its word; its sentence is what is being made */
	struct stint_pod_view first; /* the pod that was looked at */
	bool pod_known;
	struct stint_reason_facts facts;
	char *texts[TEXTS_MAX];
	size_t texts_count;
};

static const char *keep(struct telling *telling, char *text)
{
	return telling->texts[telling->texts_count++] = text;
}

static void tell_bound(struct telling *telling)
{
	const struct stint_record *record = &telling->out->why.record;
	const bool by_quota = record->reason == STINT_REASON_OVER_QUOTA; /* of work that may not borrow; the queue itself may hold more */
	const double missing = record->allocated + record->asked - record->bound;
	const char *queue = telling->facts.queue;
	telling->facts.who = keep(telling, stint_format("%s\"%s\"", by_quota ? "non-preemptible work of " : "", queue ? queue : "?"));
	telling->facts.bound = keep(telling, stint_amount_text(record->dimension, record->bound));
	telling->facts.allocated = keep(telling, stint_amount_text(record->dimension, record->allocated));
	telling->facts.more = keep(telling, stint_amount_text(record->dimension, missing > 0 ? missing : 0));
	telling->facts.remedy = by_quota ? "make it preemptible, ask for fewer, or raise the quota" : "ask for fewer, or raise the limit";
}

/* After the bound: a request that never fits has a remedy of its own. */
static void tell_request(struct telling *telling)
{
	const struct stint_why *why = &telling->out->why;
	const bool no_room = why->record.reason == STINT_REASON_NO_ROOM || why->record.reason == STINT_REASON_TOPOLOGY;
	if (!telling->pod_known || !no_room) {
		telling->facts.asked = keep(telling, bounded_text(&why->record, telling->pod_known ? &telling->first : NULL));
		return;
	}
	const struct stint_pod_spec *spec = telling->first.pod->spec;
	telling->facts.asked = keep(telling, request_text(spec));
	if (!telling->out->word || strcmp(telling->out->word, "NeverFits") != 0)
		return;
	telling->facts.asked = keep(telling, never_asked(why, spec, telling->facts.asked));
	telling->facts.remedy = keep(telling, never_remedy(telling->engine, telling->group, why, spec));
}

static void tell_place(struct telling *telling)
{
	const struct stint_record_place place = stint_engine_record_place(telling->engine, telling->group);
	telling->facts.part = place.part;
	telling->facts.topology = place.topology;
	telling->facts.level = place.level;
	telling->facts.domain = place.domain ? place.domain : "none";
	telling->facts.pools = telling->facts.within = "";
	telling->facts.where = "the whole cluster";
	const char *pools = keep(telling, pools_text(telling->engine, telling->group));
	if (!pools)
		return;
	const bool several = stint_starts_with(pools, "pools ");
	telling->facts.pools = keep(telling, stint_format(" of %s", pools));
	telling->facts.within = keep(telling, stint_format(" in %s%s", several ? "one of " : "", pools));
	telling->facts.where = several ? keep(telling, stint_format("the largest of %s", pools)) : pools;
}

static void tell_detail(struct telling *telling, const char *queue)
{
	const struct stint_why *why = &telling->out->why;
	const struct stint_record *record = &why->record;
	char time[STINT_TIME_SIZE];
	telling->facts.name = why->claim;
	if (record->reason == STINT_REASON_CLAIM)
		telling->facts.detail = keep(telling, claim_text(why, queue));
	else if (why->problem)
		telling->facts.detail = why->problem;
	else if (record->reason == STINT_REASON_PROMISED)
		telling->facts.detail = keep(telling, stint_strdup(stint_duration_format(record->expected_ms - record->since_ms, time)));
	else
		telling->facts.detail = keep(telling, nodes_text(why, telling->out->never));
}

static void tell_all(struct telling *telling)
{
	const struct stint_explanation *out = telling->out;
	const struct stint_record *record = &out->why.record;
	struct stint_queue_view queue = {0};
	struct stint_group_view group = {0};
	stint_engine_group_view(telling->engine, telling->group, &group);
	const bool known = record->queue != STINT_NO_HANDLE && stint_engine_queue_view(telling->engine, record->queue, &queue);
	telling->pod_known = stint_engine_pod_view(telling->engine, record->pod, &telling->first);
	const bool never_all = out->word && strcmp(out->word, "GangNeverFits") == 0;
	telling->facts.queue = known ? queue.name : group.queue_name;
	telling->facts.have = never_all ? (uint32_t)out->why.room_when_empty : record->have;
	telling->facts.need = record->need;
	tell_bound(telling);
	tell_request(telling);
	tell_place(telling);
	tell_detail(telling, group.queue_name);
}

void stint_explain_group(struct stint_engine *engine, uint32_t handle, struct stint_explanation *out)
{
	*out = (struct stint_explanation){.has_why = true};
	stint_engine_why(engine, handle, &out->why);
	const struct stint_record *record = &out->why.record;
	const char *word = word_of_record(engine, record, handle), *restraint = word_of_restraint(record);
	out->word = final_word(word, &out->why);
	out->never = out->why.never || out->why.problem;

	struct telling telling = {.engine = engine, .group = handle, .out = out};
	tell_all(&telling);
	if (out->word)
		out->sentence = stint_reason_sentence(out->word, &telling.facts);
	if (restraint && out->word == word) {
		char until[STINT_TIME_SIZE];
		stint_autofree char *reason = stint_steal(&out->sentence);
		telling.facts.reason = reason;
		telling.facts.until = stint_time_format(record->restrained_until_ms, until);
		out->word = restraint;
		out->sentence = stint_reason_sentence(restraint, &telling.facts);
	}
	for (size_t i = 0; i < telling.texts_count; i++)
		free(telling.texts[i]);
}

void stint_explanation_clear(struct stint_explanation *explanation)
{
	free(explanation->sentence);
	*explanation = (struct stint_explanation){0};
}
