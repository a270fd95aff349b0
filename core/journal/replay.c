/*
 * replay: reads a journal line by line, gives a new engine what went in, and compares what a journal of that engine says with the text at
 * hand. Both sides are bytes: a line that is read and written again must be the same line, too.
 *
 * The text is untrusted. Nothing is given to the engine that its interface does not allow: handles are looked up by name, statuses and parts
 * are checked. Objects live in one arena until the end. Costs: O(bytes) and what the engine does.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/journal.h>

#include "form.h"
#include "lines.h"

struct replay {
	const char *name, *at, *end;
	size_t line; /* of `at` */
	struct stint_engine *engine;
	struct stint_journal *journal;
	struct stint_buf written; /* by the journal of this engine, not compared yet */
	struct form_reader reader;
	struct stint_policy policy;
	bool has_policy;
	struct stint_replay *out;
	struct stint_error **err;
};

/* ---- what a line may be ---------------------------------------------------------------------------------------------------------------- */

static bool fail_at(struct replay *r, const char *key, const char *what)
{
	const struct place here = {.key = key};
	return form_fail(&r->reader, &here, what);
}

static const char *text_at(struct replay *r, const struct stint_json *line, const char *key)
{
	const struct place here = {.key = key};
	return form_get_text(&r->reader, stint_json_get(line, key), &here);
}

/* The line has these keys and no other. */
static bool has_only(struct replay *r, const struct stint_json *line, const char *const *keys, size_t count)
{
	stint_json_each(member, line) {
		bool known = false;
		for (size_t i = 0; i < count; i++)
			known = known || strcmp(keys[i], stint_json_key(member)) == 0;
		if (!known)
			return fail_at(r, stint_json_key(member), "is no key of such a line");
	}
	return true;
}
#define HAS_ONLY(r, line, ...) has_only(r, line, (const char *const[]){__VA_ARGS__}, STINT_COUNT(((const char *const[]){__VA_ARGS__})))

static void upsert(struct stint_engine *engine, struct stint_object *object)
{
	switch (object->kind) {
	case STINT_KIND_NODE: stint_engine_node_upsert(engine, stint_node_of(object)); break;
	case STINT_KIND_QUEUE: stint_engine_queue_upsert(engine, stint_queue_of(object)); break;
	case STINT_KIND_TOPOLOGY: stint_engine_topology_upsert(engine, stint_topology_of(object)); break;
	case STINT_KIND_NAMESPACE: stint_engine_space_upsert(engine, stint_space_of(object)); break;
	case STINT_KIND_RESOURCE_SLICE: stint_engine_slice_upsert(engine, stint_resource_slice_of(object)); break;
	case STINT_KIND_DEVICE_CLASS: stint_engine_class_upsert(engine, stint_device_class_of(object)); break;
	case STINT_KIND_RESOURCE_CLAIM: stint_engine_claim_upsert(engine, stint_resource_claim_of(object)); break;
	case STINT_KIND_POD:
	case STINT_KIND_POD_GROUP:
	case STINT_KIND_PRIORITY_CLASS:
	case STINT_KIND_VOLUME_CLAIM:
	case STINT_KIND_VOLUME:
	case STINT_KIND_STORAGE_CLASS:
	case STINT_KIND_NODE_ZONES:
	case STINT_KIND_CONFIG_MAP:
	case STINT_KIND_EVENT:
	case STINT_KIND_OWNER: break;
	}
}

static bool read_object(struct replay *r, const struct stint_json *line, enum stint_kind kind)
{
	const struct form_of_kind *of = form_of(kind);
	const struct place here = {.key = of->word};
	struct stint_object *object = stint_arena_alloc(r->reader.arena, of->form->size);
	if (!HAS_ONLY(r, line, of->word) || !form_get(&r->reader, of->form, stint_json_get(line, of->word), &here, object))
		return false;
	object->kind = kind;
	object->refs = 1; /* of the arena: the engine never frees it */
	upsert(r->engine, object);
	return true;
}

static bool read_gone(struct replay *r, const struct stint_json *line, enum stint_kind kind)
{
	const struct form_of_kind *of = form_of(kind);
	const char *name = text_at(r, line, of->gone);
	const char *space = stint_json_get(line, "namespace") ? text_at(r, line, "namespace") : NULL;
	if (!name || !HAS_ONLY(r, line, of->gone, kind == STINT_KIND_RESOURCE_CLAIM ? "namespace" : of->gone))
		return false;
	switch (kind) {
	case STINT_KIND_NODE: stint_engine_node_remove(r->engine, name); break;
	case STINT_KIND_QUEUE: stint_engine_queue_remove(r->engine, name); break;
	case STINT_KIND_TOPOLOGY: stint_engine_topology_remove(r->engine, name); break;
	case STINT_KIND_NAMESPACE: stint_engine_space_remove(r->engine, name); break;
	case STINT_KIND_RESOURCE_SLICE: stint_engine_slice_remove(r->engine, name); break;
	case STINT_KIND_DEVICE_CLASS: stint_engine_class_remove(r->engine, name); break;
	case STINT_KIND_RESOURCE_CLAIM: stint_engine_claim_remove(r->engine, space, name); break;
	case STINT_KIND_POD:
	case STINT_KIND_POD_GROUP:
	case STINT_KIND_PRIORITY_CLASS:
	case STINT_KIND_VOLUME_CLAIM:
	case STINT_KIND_VOLUME:
	case STINT_KIND_STORAGE_CLASS:
	case STINT_KIND_NODE_ZONES:
	case STINT_KIND_CONFIG_MAP:
	case STINT_KIND_EVENT:
	case STINT_KIND_OWNER: break;
	}
	return true;
}

static bool read_numa(struct replay *r, const struct stint_json *line)
{
	const struct place here = {.key = "is"};
	const char *node = text_at(r, line, "numa");
	const struct stint_json *is = stint_json_get(line, "is");
	struct stint_numa numa = {0};
	if (!node || !HAS_ONLY(r, line, "numa", "is") || (is && !form_get(&r->reader, &form_numa, is, &here, &numa)))
		return false;
	stint_engine_node_numa(r->engine, node, is ? &numa : NULL);
	return true;
}

static bool read_usage(struct replay *r, const struct stint_json *line)
{
	double usage[STINT_DIMENSIONS];
	const char *name = text_at(r, line, "usage");
	if (!name || !HAS_ONLY(r, line, "usage", "cpu", "memory", "gpu"))
		return false;
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		if (!stint_json_double(stint_json_get(line, stint_dimension_name(d)), &usage[d]) || !(usage[d] >= 0) || usage[d] > 1e9)
			return fail_at(r, stint_dimension_name(d), "must be a number from 0 to 1e9");
	}
	const uint32_t queue = stint_engine_queue_find(r->engine, name);
	if (queue == STINT_NO_HANDLE)
		return fail_at(r, "usage", "must name a queue that is known by then");
	stint_engine_queue_usage(r->engine, queue, usage);
	return true;
}

/* ---- groups and pods -------------------------------------------------------------------------------------------------------------------- */

static bool read_group(struct replay *r, const struct stint_json *line)
{
	const struct place here = {.key = "group"};
	struct stint_group_spec spec = {0};
	if (!HAS_ONLY(r, line, "group") || !form_get(&r->reader, &form_group, stint_json_get(line, "group"), &here, &spec))
		return false;
	stint_auto_error *problem = NULL;
	if (spec.parts && !stint_parts_check(spec.parts, spec.parts_count, &problem)) {
		const struct place parts = {.above = &here, .key = "parts"};
		stint_autofree char *what = stint_format("make no tree: %s", problem->message);
		return form_fail(&r->reader, &parts, what);
	}
	stint_engine_group_upsert(r->engine, &spec);
	return true;
}

static bool find_group(struct replay *r, const struct stint_json *line, const char *key, uint32_t *group)
{
	const char *name = text_at(r, line, key);
	if (!name)
		return false;
	*group = stint_engine_group_find(r->engine, name);
	return *group != STINT_NO_HANDLE || fail_at(r, key, "must be the key of a group that is known by then");
}

static bool read_group_gone(struct replay *r, const struct stint_json *line)
{
	uint32_t group;
	if (!HAS_ONLY(r, line, "group_gone") || !find_group(r, line, "group_gone", &group))
		return false;
	stint_engine_group_remove(r->engine, group);
	return true;
}

static bool read_spare(struct replay *r, const struct stint_json *line)
{
	uint32_t group;
	if (!HAS_ONLY(r, line, "spare", "spared") || !find_group(r, line, "spare", &group))
		return false;
	stint_engine_group_spare(r->engine, group, stint_json_bool_or(stint_json_get(line, "spared"), false));
	return true;
}

/* The arena has a count of it, so that the engine never frees it. */
static bool read_reach(struct replay *r, const struct stint_json *line, struct stint_pod_facts *facts)
{
	const struct place here = {.key = "volumes"};
	const struct stint_json *list = stint_json_get(line, "volumes");
	const void *items = NULL;
	size_t count = 0;
	if (!list)
		return true;
	if (!form_get_items(&r->reader, &form_reach_need, list, &here, &items, &count))
		return false;
	if (count > STINT_REACH_NEEDS_MAX)
		return fail_at(r, "volumes", "are more than a pod may have");
	facts->reach = stint_arena_alloc(r->reader.arena, sizeof *facts->reach);
	*facts->reach = (struct stint_reach){.refs = 1, .needs = items, .needs_count = (uint32_t)count};
	return true;
}

static bool read_facts(struct replay *r, const struct stint_json *line, struct stint_pod_facts *facts)
{
	const struct place status = {.key = "status"}, devices = {.key = "devices"}, zones = {.key = "zones"};
	const struct stint_json *list = stint_json_get(line, "zones");
	unsigned word;
	if (!form_get_choice(&r->reader, stint_json_get(line, "status"), &status, pod_status_words, POD_STATUSES, &word) ||
		!form_get_slots(&r->reader, stint_json_get(line, "devices"), &devices, &facts->devices))
		return false;
	facts->status = (enum stint_pod_status)word;
	if (facts->status == STINT_POD_RESERVED || facts->status == STINT_POD_ASSUMED)
		return fail_at(r, "status", "is one that the engine alone gives");
	if (stint_json_get(line, "part") && !(facts->part = text_at(r, line, "part")))
		return false;
	facts->holder = stint_json_bool_or(stint_json_get(line, "holder"), false);
	facts->rezoned = stint_json_bool_or(stint_json_get(line, "rezoned"), false);
	const void *items = NULL;
	size_t count = 0;
	if (list && !form_get_items(&r->reader, &form_zone, list, &zones, &items, &count))
		return false;
	facts->zones = items;
	facts->zones_count = (uint32_t)count;
	return read_reach(r, line, facts);
}

static bool read_pod(struct replay *r, const struct stint_json *line)
{
	const struct place here = {.key = "pod"};
	struct stint_pod *pod = stint_arena_alloc(r->reader.arena, sizeof *pod);
	struct stint_pod_facts facts = {.pod = pod, .group = STINT_NO_HANDLE};
	r->reader.new_spec = stint_json_bool_or(stint_json_get(line, "respecified"), false);
	if (!HAS_ONLY(r, line, "pod", "respecified", "group", "part", "status", "devices", "holder", "rezoned", "zones", "volumes") ||
		!form_get(&r->reader, &form_pod, stint_json_get(line, "pod"), &here, pod) || !read_facts(r, line, &facts) ||
		(stint_json_get(line, "group") && !find_group(r, line, "group", &facts.group)))
		return false;
	if (facts.status >= STINT_POD_RESERVED && !pod->node)
		return fail_at(r, "status", "is one of a pod that has a node");
	pod->meta.kind = STINT_KIND_POD;
	pod->meta.refs = 1;
	stint_engine_pod_upsert(r->engine, &facts);
	return true;
}

static bool read_pod_gone(struct replay *r, const struct stint_json *line)
{
	const char *uid = text_at(r, line, "pod_gone");
	if (!uid || !HAS_ONLY(r, line, "pod_gone"))
		return false;
	stint_engine_pod_remove(r->engine, uid);
	return true;
}

static const struct {
	const char *key;
	void (*tell)(struct stint_engine *engine, uint32_t pod);
} outcomes[] = {{"confirm", stint_engine_pod_confirm}, {"undo", stint_engine_pod_undo}, {"stay", stint_engine_pod_stay}};

static bool read_outcome(struct replay *r, const struct stint_json *line, size_t which)
{
	const char *key = outcomes[which].key;
	const char *uid = text_at(r, line, key);
	if (!uid || !has_only(r, line, &key, 1))
		return false;
	const uint32_t pod = stint_engine_pod_find(r->engine, uid);
	if (pod == STINT_NO_HANDLE)
		return fail_at(r, key, "must be the UID of a pod that is known by then");
	outcomes[which].tell(r->engine, pod);
	return true;
}

/* ---- cycles --------------------------------------------------------------------------------------------------------------------------------- */

static bool read_cycle(struct replay *r, const struct stint_json *line)
{
	const struct place here = {.key = "policy"};
	const struct stint_json *policy = stint_json_get(line, "policy");
	int64_t now_ms;
	if (!HAS_ONLY(r, line, "cycle", "policy"))
		return false;
	if (!stint_json_int(stint_json_get(line, "cycle"), &now_ms) || now_ms < 0 || now_ms > INT64_MAX / 4)
		return fail_at(r, "cycle", "must be a time in milliseconds");
	if (policy) {
		r->policy = (struct stint_policy){0};
		if (!form_get(&r->reader, &form_policy, policy, &here, &r->policy))
			return false;
	} else if (!r->has_policy) {
		return fail_at(r, "policy", "must be there in the first cycle");
	}
	r->has_policy = true;
	const struct stint_cycle cycle = stint_engine_cycle(r->engine, &r->policy, now_ms);
	r->out->cycles++;
	r->out->decisions += cycle.count;
	return true;
}

static bool read_line(struct replay *r, const struct stint_json *line)
{
	static const struct {
		const char *key;
		bool (*read)(struct replay *r, const struct stint_json *line);
	} kinds[] = {{"cycle", read_cycle}, {"pod", read_pod}, {"group", read_group}, {"pod_gone", read_pod_gone},
		{"group_gone", read_group_gone}, {"spare", read_spare}, {"numa", read_numa}, {"usage", read_usage}};
	const struct stint_json *first = stint_json_first(line);
	const char *key = stint_json_type(line) == STINT_JSON_OBJECT && first ? stint_json_key(first) : "";
	for (size_t i = 0; i < STINT_COUNT(kinds); i++) {
		if (strcmp(key, kinds[i].key) == 0)
			return kinds[i].read(r, line);
	}
	for (size_t i = 0; i < STINT_COUNT(outcomes); i++) {
		if (strcmp(key, outcomes[i].key) == 0)
			return read_outcome(r, line, i);
	}
	for (unsigned kind = 0; kind < KINDS; kind++) {
		if (form_of(kind) && strcmp(key, form_of(kind)->word) == 0)
			return read_object(r, line, kind);
		if (form_of(kind) && strcmp(key, form_of(kind)->gone) == 0)
			return read_gone(r, line, kind);
	}
	return stint_fail(r->err, STINT_USAGE, "this is no line of a journal");
}

/* ---- comparing ------------------------------------------------------------------------------------------------------------------------------ */

static size_t line_length(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));
	return newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);
}

static char *line_text(const char *at, size_t length)
{
	return stint_strndup(at, length && at[length - 1] == '\n' ? length - 1 : length);
}

/* What was written since must stand at `at`, which moves behind it. False: it does not, or the journal ends before. */
static bool compare(struct replay *r)
{
	const char *written = r->written.data, *const end = written + r->written.length;
	while (written < end) {
		const size_t is = line_length(written, end), was = line_length(r->at, r->end);
		if (r->at == r->end) {
			r->out->cut = true;
			return false;
		}
		if (is != was || memcmp(written, r->at, is) != 0) {
			r->out->differs = r->line;
			r->out->was = line_text(r->at, was);
			r->out->is = line_text(written, is);
			return false;
		}
		written += is;
		r->at += was;
		r->line++;
		r->out->lines++;
	}
	stint_buf_reset(&r->written);
	return true;
}

static void keep(void *user, const char *lines, size_t length)
{
	stint_buf_add(&((struct replay *)user)->written, lines, length);
}

static bool step(struct replay *r)
{
	const size_t length = line_length(r->at, r->end);
	stint_auto_json *line = NULL;
	if (length > STINT_JOURNAL_MAX_LINE)
		stint_fail(r->err, STINT_USAGE, "the line is longer than %d MiB", STINT_JOURNAL_MAX_LINE / (1024 * 1024));
	else
		line = stint_json_parse(r->at, length, STINT_JSON_REJECT_DUPLICATES, r->err);
	if (line && read_line(r, line))
		return true;
	return stint_fail_wrap(r->err, "%s:%zu", r->name, r->line);
}

static bool replay_lines(struct replay *r)
{
	const size_t head = strlen(JOURNAL_HEAD "\n");
	if ((size_t)(r->end - r->at) < head || memcmp(r->at, JOURNAL_HEAD "\n", head) != 0)
		return stint_fail(r->err, STINT_USAGE, "%s:1: this is no journal of version 1: its first line is " JOURNAL_HEAD, r->name);
	/* Whoever was killed while writing leaves half a line. */
	const char *last = memrchr(r->at, '\n', (size_t)(r->end - r->at));
	r->out->cut = last + 1 != r->end;
	r->end = last + 1;
	stint_journal_flush(r->journal);
	if (!compare(r))
		return true;
	while (r->at < r->end) {
		if (!step(r))
			return false;
		stint_journal_flush(r->journal);
		if (!compare(r))
			return true;
	}
	return true;
}

bool stint_journal_replay(const char *name, const char *data, size_t length, struct stint_replay *out, struct stint_error **err)
{
	*out = (struct stint_replay){0};
	struct replay r = {
		.name = name,
		.at = data,
		.end = data + length,
		.line = 1,
		.engine = stint_engine_new(),
		.reader = {.arena = stint_arena_new(0), .specs = stint_map_new(NULL), .err = err},
		.out = out,
		.err = err,
	};
	r.journal = stint_journal_new(r.engine, keep, &r);
	const bool ok = replay_lines(&r);
	stint_journal_free(r.journal);
	stint_engine_free(r.engine);
	form_reader_clear(&r.reader);
	stint_buf_free(&r.written);
	return ok;
}

void stint_replay_clear(struct stint_replay *replay)
{
	free(replay->was);
	free(replay->is);
	*replay = (struct stint_replay){0};
}
