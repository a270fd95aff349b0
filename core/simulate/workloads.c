/*
 * workloads: the part of a scenario that says what runs and what waits: workloads, their gangs, their pods.
 */
#include <math.h>
#include <string.h>

#include "scenario.h"

/* ---- pods --------------------------------------------------------------------------------------------------------------------- */

static bool read_gpus(struct reader *r, const struct stint_json *requests, const struct place *place, struct stint_gpu_ask *out)
{
	double whole, portion, mib, devices;
	if (!field_number(place, requests, "gpu", 0, 1e6, 0, &whole, r->err) ||
		!field_number(place, requests, "gpuFraction", 0, 1, 0, &portion, r->err) ||
		!field_number(place, requests, "gpuMemoryMiB", 0, 1e9, 0, &mib, r->err) ||
		!field_number(place, requests, "gpuDevices", 1, STINT_MAX_DEVICES, 1, &devices, r->err))
		return false;
	*out = (struct stint_gpu_ask){0};
	if (mib > 0)
		*out = (struct stint_gpu_ask){.kind = STINT_GPU_MEMORY, .devices = (uint32_t)devices, .memory_mib = (int64_t)mib};
	else if (portion > 0)
		*out = (struct stint_gpu_ask){.kind = STINT_GPU_FRACTION, .devices = (uint32_t)devices, .portion = portion};
	else if (whole > 0)
		*out = (struct stint_gpu_ask){.kind = STINT_GPU_WHOLE, .devices = (uint32_t)whole, .portion = 1};
	return true;
}

static bool read_affinity(struct reader *r, const struct stint_json *pod, const struct place *place, struct stint_pod_spec *spec)
{
	const struct place list = {.above = place, .key = "nodeAffinity", .index = -1};
	const struct stint_json *affinity;
	size_t count;
	if (!field_array(place, pod, "nodeAffinity", 1000, &affinity, &count, r->err))
		return false;
	if (!count)
		return true;
	struct stint_requirement *items = scenario_room(r->scenario, count, sizeof *items);
	size_t at = 0;
	stint_json_each(entry, affinity) {
		const struct place here = {.above = &list, .index = (int64_t)at};
		const struct stint_json *values;
		const char *key;
		size_t values_count, value_at = 0;
		if (!field_text(&here, entry, "key", &key, r->err) ||
			!field_array(&here, entry, "values", 1000, &values, &values_count, r->err))
			return false;
		const char **texts = scenario_room(r->scenario, values_count, sizeof *texts);
		stint_json_each(value, values)
			texts[value_at++] = scenario_keep(r->scenario, stint_json_string_or(value, ""));
		/* Values are searched as a sorted list. */
		for (size_t i = 1; i < values_count; i++) {
			for (size_t j = i; j > 0 && strcmp(texts[j], texts[j - 1]) < 0; j--) {
				const char *swap = texts[j];
				texts[j] = texts[j - 1];
				texts[j - 1] = swap;
			}
		}
		items[at++] = (struct stint_requirement){
			.key = scenario_keep(r->scenario, key), .op = STINT_OP_IN, .values = texts, .values_count = (uint32_t)values_count};
	}
	struct stint_node_term *term = scenario_room(r->scenario, 1, sizeof *term);
	term->labels = (struct stint_requirements){items, (uint32_t)count};
	spec->has_required_terms = true;
	spec->required_terms = term;
	spec->required_count = 1;
	return true;
}

static bool read_spec(struct reader *r, const struct stint_json *workload, const struct stint_json *pod, const struct place *place,
	struct stint_pod_spec **out)
{
	const struct stint_json *requests = stint_json_get(pod, "requests");
	if (stint_json_type(requests) != STINT_JSON_OBJECT)
		requests = stint_json_get(workload, "requests");
	const struct place here = {.above = place, .key = "requests", .index = -1};
	double cpu, memory;
	if (!field_amount(&here, requests, "cpu", STINT_UNIT_MILLI, 0, &cpu, r->err) ||
		!field_amount(&here, requests, "memory", STINT_UNIT_ONE, 0, &memory, r->err))
		return false;
	struct stint_pod_spec *spec = scenario_room(r->scenario, 1, sizeof *spec);
	*spec = (struct stint_pod_spec){.refs = 1, .request = {.cpu_milli = (int64_t)cpu, .memory_bytes = (int64_t)memory, .pods = 1}};
	*out = spec;
	return read_gpus(r, requests, &here, &spec->gpu) && read_mig_request(r, pod, requests, &here, spec) &&
		read_pod_terms(r, pod, place, spec) && read_volume_claims(r, pod, place, spec) && read_affinity(r, pod, place, spec);
}

/* A task priority is a label to the engine. */
static bool read_pod_labels(struct reader *r, const struct stint_json *object, const struct place *place, struct stint_pairs *out)
{
	double priority;
	if (!field_number(place, object, "taskPriority", INT32_MIN, INT32_MAX, NAN, &priority, r->err))
		return false;
	if (!read_labels(r, object, place, out))
		return false;
	if (isnan(priority))
		return true;
	stint_autofree char *text = stint_format("%lld", (long long)priority);
	add_label(r, out, "kai.scheduler/task-priority", scenario_keep(r->scenario, text));
	return true;
}

static bool take_slot(struct reader *r, struct device_names *names, const char *name, const struct place *place, uint64_t *slots)
{
	size_t at = 0;
	while (at < names->count && names->items[at] && strcmp(names->items[at], name) != 0)
		at++;
	if (at == names->count)
		return field_fail(place, "gpuGroups", r->err, "names more devices than the node has");
	names->items[at] = name;
	*slots |= UINT64_C(1) << at;
	return true;
}

static bool read_place(struct reader *r, const struct stint_json *object, const struct place *place, struct sim_pod *pod)
{
	int status;
	const struct stint_json *groups;
	if (!field_choice(place, object, "status", sim_status_names, SIM_STATUS_COUNT, SIM_PENDING, &status, r->err) ||
		!field_array(place, object, "gpuGroups", STINT_MAX_DEVICES, &groups, &pod->gpu_groups_count, r->err))
		return false;
	pod->status = (enum sim_status)status;
	pod->node = scenario_keep(r->scenario, stint_json_string_at(object, "node"));
	const bool needs_node = status != SIM_PENDING && status != SIM_GATED && status < SIM_FAILED;
	if (needs_node && !pod->node)
		return field_fail(place, "node", r->err, "must be given: a pod of this status is on a node");
	const char **names = scenario_room(r->scenario, pod->gpu_groups_count, sizeof *names);
	pod->gpu_groups = names;
	struct device_names *devices = pod->node ? stint_map_get(r->scenario->devices, pod->node) : NULL;
	if (pod->node && !devices)
		return field_fail(place, "node", r->err, "names a node that is not in the scenario");
	size_t at = 0;
	stint_json_each(group, groups) {
		names[at] = scenario_keep(r->scenario, stint_json_string_or(group, ""));
		if (needs_node && !take_slot(r, devices, names[at], place, &pod->devices))
			return false;
		at++;
	}
	return true;
}

static bool read_pod(struct reader *r, const struct stint_json *object, const struct place *place, const char *name,
	struct sim_workload *owner, struct stint_pod_spec *spec, struct sim_pod *pod)
{
	pod->object = scenario_room(r->scenario, 1, sizeof *pod->object);
	*pod->object = (struct stint_pod){
		.meta = scenario_object(r->scenario, STINT_KIND_POD, name, owner->group.created_ms),
		.spec = spec,
		.guaranteed = owner->guaranteed,
	};
	pod->workload = owner;
	pod->part = scenario_keep(r->scenario, stint_json_string_at(object, "podSet"));
	pod->handle = STINT_NO_HANDLE;
	return reader_claim(r, r->pods, place, pod->object->meta.name, pod) &&
		read_pod_labels(r, object, place, &pod->object->meta.labels) && read_place(r, object, place, pod) &&
		reader_pod_claims(r, object, place, pod->object) && reader_pod_zones(r, object, place, pod);
}

static bool read_pods(struct reader *r, const struct stint_json *workload, const struct place *place, struct sim_workload *out)
{
	const struct place list = {.above = place, .key = "pods", .index = -1};
	const struct stint_json *pods;
	size_t entries, total = 0, at = 0;
	int64_t entry = 0;
	if (!field_array(place, workload, "pods", SCENARIO_MAX_PODS, &pods, &entries, r->err))
		return false;
	stint_json_each(pod, pods) {
		const struct place here = {.above = &list, .index = entry++};
		double count;
		if (!field_number(&here, pod, "count", 1, SCENARIO_MAX_PODS, 1, &count, r->err))
			return false;
		total += (size_t)count;
		if (r->scenario->pods_count + total > SCENARIO_MAX_PODS)
			return field_fail(&here, NULL, r->err, "is one pod too many");
	}
	out->pods = scenario_room(r->scenario, total, sizeof *out->pods);
	out->pods_count = total;
	r->scenario->pods_count += total;
	entry = 0;
	stint_json_each(pod, pods) {
		const struct place here = {.above = &list, .index = entry++};
		const char *given = stint_json_string_at(pod, "name");
		const int64_t count = stint_json_int_or(stint_json_get(pod, "count"), 1);
		struct stint_pod_spec *spec;
		if (!read_spec(r, workload, pod, &here, &spec))
			return false;
		for (int64_t i = 0; i < count; i++, at++) {
			stint_autofree char *name = given ? stint_strdup(given) : stint_format("%s-%zu", out->name, at);
			if (!read_pod(r, pod, &here, name, out, spec, &out->pods[at]))
				return false;
		}
	}
	return true;
}

/* ---- workloads -------------------------------------------------------------------------------------------------------------------- */

/* The moment that was so many seconds before the start; 0, which the engine takes for unknown: not said. */
static bool read_moment(struct reader *r, const struct stint_json *object, const struct place *place, const char *key, int64_t *out_ms)
{
	int64_t ago_ms;
	if (!field_seconds(place, object, key, 0, &ago_ms, r->err))
		return false;
	const int64_t at_ms = SCENARIO_START_MS - ago_ms;
	*out_ms = stint_json_type(stint_json_get(object, key)) == STINT_JSON_NULL ? 0 : at_ms > 1 ? at_ms : 1;
	return true;
}

static bool read_history(struct reader *r, const struct stint_json *object, const struct place *place, struct stint_group_spec *group)
{
	group->has_stale_grace = stint_json_type(stint_json_get(object, "staleGraceSeconds")) != STINT_JSON_NULL;
	return read_moment(r, object, place, "startedSecondsAgo", &group->started_ms) &&
		read_moment(r, object, place, "lastEvictedSecondsAgo", &group->last_evicted_ms) &&
		read_moment(r, object, place, "staleForSeconds", &group->stale_since_ms) &&
		field_seconds(place, object, "preemptionDelaySeconds", 0, &group->preemption_delay_ms, r->err) &&
		field_seconds(place, object, "staleGraceSeconds", 0, &group->stale_grace_ms, r->err);
}

static bool read_workload(struct reader *r, const struct stint_json *object, const struct place *place, struct sim_workload *out)
{
	static const char *const afterwards[] = {"requeue", "gone", "keepReleasing"};
	static const char *const qualities[] = {"Burstable", "Guaranteed", "BestEffort"};
	const char *name, *queue;
	double priority;
	int64_t age_ms;
	int after, quality;
	if (!field_text(place, object, "name", &name, r->err) || !field_text(place, object, "queue", &queue, r->err) ||
		!field_number(place, object, "priority", INT32_MIN, INT32_MAX, 50, &priority, r->err) ||
		!field_seconds(place, object, "createdSecondsAgo", 0, &age_ms, r->err) ||
		!field_choice(place, object, "afterEviction", afterwards, 3, 0, &after, r->err) ||
		!field_choice(place, object, "qos", qualities, 3, 0, &quality, r->err) || !reader_claim(r, r->workloads, place, name, out))
		return false;
	out->name = scenario_keep(r->scenario, name);
	out->guaranteed = quality == 1;
	out->after_eviction = (enum sim_after_eviction)after;
	out->handle = STINT_NO_HANDLE;
	out->group = (struct stint_group_spec){
		.key = out->name,
		.queue = scenario_keep(r->scenario, queue),
		.priority = (int32_t)priority,
		.preemptible = stint_json_bool_or(stint_json_get(object, "preemptible"), priority < 100),
		.created_ms = SCENARIO_START_MS - age_ms,
	};
	if (!read_history(r, object, place, &out->group) || !read_pods(r, object, place, out) || !read_gang(r, object, place, out))
		return false;
	for (size_t i = 0; i < out->pods_count; i++)
		out->group.some_succeeded = out->group.some_succeeded || out->pods[i].status == SIM_SUCCEEDED;
	return true;
}

bool read_workloads(struct reader *r, const struct stint_json *document)
{
	const struct place list = {.key = "workloads", .index = -1};
	const struct stint_json *workloads;
	if (!field_array(NULL, document, "workloads", SCENARIO_MAX_THINGS, &workloads, &r->scenario->workloads_count, r->err))
		return false;
	r->scenario->workloads = scenario_room(r->scenario, r->scenario->workloads_count, sizeof *r->scenario->workloads);
	int64_t at = 0;
	stint_json_each(workload, workloads) {
		const struct place here = {.above = &list, .index = at};
		if (!read_workload(r, workload, &here, &r->scenario->workloads[at++]))
			return false;
	}
	return true;
}
