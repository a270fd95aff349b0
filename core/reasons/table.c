/*
 * table: a sentence for every word. See stint/reasons.h.
 *
 * A sentence says what is so and what to do about it. It names no other workload, because conditions and events are read by people who may
 * not see each other's: who holds what stands in records alone, whose maker asks what the reader may see.
 */
#include <stint/reasons.h>

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
		"{have} of its pods are of sub-group \"{part}\", which it does not have: with a PodGroup correct label "
		"kai.scheduler/subgroup-name, or add the sub-group; without one correct the roles, replicas or segments of their owner",
		false},
	{"SubGroupsInvalid", "the sub-groups of its PodGroup make no tree, for {detail}: correct spec.subGroups", true},
	{"SegmentsInvalid",
		"{detail}, or take away what asks for segments: annotation kai.scheduler/segment-size, or subGroupPolicy of a "
		"LeaderWorkerSet",
		true},
	{"TopologyDoesNotExist",
		"it asks for level \"{level}\" of topology \"{topology}\", which does not exist: create the Topology, or name one that "
		"exists and a level of it",
		false},
	{"TopologyNotSatisfied",
		"no single \"{level}\" of topology \"{topology}\" has room for its {need} pods, of {asked} each; {domain} takes {have} "
		"({detail}): it "
		"starts when one has room for all, or prefer that level instead of requiring it",
		false},
	{"OtherScheduler",
		"its pods name scheduler \"{name}\", and this one serves {detail}: make it anew with \"stint submit\", or name that one in "
		"spec.schedulerName",
		false},
	{"Evicted", "{detail}", false},
	{"BackOff", "{detail}", false},
	{"SchedulingGated", "its pods have scheduling gates: it is tried when they have been taken away", false},
	{"OverLimit",
		"\"{queue}\" may use {bound} and uses {allocated}, and this asks for {asked}: ask for fewer, wait for {more} to come free "
		"there, or raise the limit",
		false},
	{"NonPreemptibleOverQuota",
		"non-preemptible work of \"{queue}\" may use its quota of {bound} and uses {allocated}, and this asks for {asked}: make it "
		"preemptible, "
		"wait for {more} to come free there, or raise the quota",
		false},
	{"NoRoom", "it asks for {asked}, and no node{pools} can give that now ({detail}): it starts when room comes free", false},
	{"NoRoomForGang",
		"there is room{within} for {have} of the {need} pods that start together, of {asked} each ({detail}): it starts when there "
		"is room "
		"for all",
		false},
	{"NeverFits", "it asks for {asked}, and no node{pools} could give that even if nothing else ran ({detail}): {remedy}", true},
	{"GangNeverFits",
		"{where} has room for {have} of the {need} pods that start together, of {asked} each ({detail}): ask for fewer, "
		"or add nodes",
		true},
	{"NeverWithinBounds", "{who} may use {bound} at most and this asks for {asked}: {remedy}", true},
	{"InvalidRequest", "{detail}", true},
	{"RoomIsPromised",
		"what is free is promised to a larger workload that starts within {detail}, and this one would not have gone by then: "
		"declare a "
		"shorter --time, or wait",
		false},
	{"PreemptionDelayNotElapsed", "{reason}; it takes nothing from others before {until}, when its preemption delay is over", false},
	{"MinRuntimeNotElapsed",
		"{reason}; what would have to be evicted for it is left alone until {until}, when its minimum runtime is over", false},
	{"RoomIsLeaving", "its place is kept for it, and pods are still leaving there: it starts when they have gone", false},
	{"ResourceClaimNotReady", "resource claim \"{name}\" {detail}", false},
	{"VolumeClaimDoesNotExist", "{detail}", false},
	{"VolumeClaimNotBound", "{detail}", false},
	{"VolumeClaimUnusable", "{detail}", false},
	{"VolumeDoesNotExist", "{detail}", false},
	{"ConfigMapDoesNotExist", "{detail}", false},
	{"PodGroupDoesNotExist", "PodGroup \"{name}\" of annotation pod-group-name does not exist: create it, or take the annotation away",
		false},
	{"NoDeviceWiring", "its container would not learn which device it shares: submit it with stint, or add to that container {detail}",
		true},
	{"DeviceHolderFailed", "{detail}", false},
	{"VolumeNotGiven", "{detail}", false},
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
		{"part", facts->part}, {"topology", facts->topology}, {"level", facts->level}, {"domain", facts->domain},
		{"reason", facts->reason}, {"until", facts->until}, {"pools", facts->pools}, {"within", facts->within},
		{"where", facts->where}};
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
