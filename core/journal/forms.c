/*
 * forms: the tables. They have every field that the engine looks at, and no other: a test runs random clusters through a journal, which shows a
 * field that is missing.
 */
#include "form.h"

#define FORM(form_name, T, array) const struct form form_name = {.size = sizeof(T), .fields = (array), .fields_count = STINT_COUNT(array)}
#define AT(T, member, k, kind, ...)                                                      \
	{                                                                                \
		.key = (k), .type = (kind), .offset = offsetof(T, member), ##__VA_ARGS__ \
	}
#define LIST(T, items, number, k, kind, ...)                                                            \
	{                                                                                               \
		.key = (k), .type = (kind), .offset = offsetof(T, items), .count = offsetof(T, number), \
		.count_size = sizeof(((T *)NULL)->number), ##__VA_ARGS__                                \
	}
#define ITEMS(T, member, k, inner) LIST(T, member, member##_count, k, FIELD_ITEMS, .form = &(inner))
#define TEXTS(T, member, k) LIST(T, member, member##_count, k, FIELD_TEXTS)
#define CHOICE(T, member, k, words) AT(T, member, k, FIELD_CHOICE, .names = (words), .names_count = STINT_COUNT(words))

/* ---- what several of them have ------------------------------------------------------------------------------------------------------- */

#define HEAD(T)                                                                                                                    \
	AT(T, meta.name, "name", FIELD_NAME), AT(T, meta.space, "namespace", FIELD_TEXT), AT(T, meta.uid, "uid", FIELD_TEXT),      \
		AT(T, meta.created_ms, "created_ms", FIELD_I64), AT(T, meta.deleted_ms, "deleted_ms", FIELD_I64, .otherwise = -1), \
		AT(T, meta.labels, "labels", FIELD_PAIRS)

static const char *const effects[] = {"", "NoSchedule", "PreferNoSchedule", "NoExecute"};
static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "?"};
static const char *const truths[] = {"unknown", "false", "true"};
static const char *const gpu_kinds[] = {"none", "whole", "fraction", "memory"};

static const struct field extended_fields[] = {
	AT(struct stint_extended, name, "name", FIELD_NAME),
	AT(struct stint_extended, amount, "amount", FIELD_I64),
};
static FORM(form_extended, struct stint_extended, extended_fields);

static const struct field resources_fields[] = {
	AT(struct stint_resources, cpu_milli, "cpu_milli", FIELD_I64),
	AT(struct stint_resources, memory_bytes, "memory_bytes", FIELD_I64),
	AT(struct stint_resources, gpu_milli, "gpu_milli", FIELD_I64),
	AT(struct stint_resources, pods, "pods", FIELD_I64),
	ITEMS(struct stint_resources, extended, "extended", form_extended),
};
static FORM(form_resources, struct stint_resources, resources_fields);

static const struct field constraint_fields[] = {
	AT(struct stint_topology_constraint, topology, "topology", FIELD_TEXT),
	AT(struct stint_topology_constraint, required_level, "required", FIELD_TEXT),
	AT(struct stint_topology_constraint, preferred_level, "preferred", FIELD_TEXT),
};
static FORM(form_constraint, struct stint_topology_constraint, constraint_fields);

/* ---- nodes, queues, topologies, namespaces --------------------------------------------------------------------------------------------- */

static const struct field taint_fields[] = {
	AT(struct stint_taint, key, "key", FIELD_NAME),
	AT(struct stint_taint, value, "value", FIELD_NAME),
	CHOICE(struct stint_taint, effect, "effect", effects),
};
static FORM(form_taint, struct stint_taint, taint_fields);

static const struct field node_fields[] = {
	HEAD(struct stint_node),
	AT(struct stint_node, allocatable, "allocatable", FIELD_ONE, .form = &form_resources),
	AT(struct stint_node, gpu_count, "gpus", FIELD_I32),
	AT(struct stint_node, gpu_memory_mib, "gpu_memory_mib", FIELD_I64, .otherwise = -1, .low = -1, .high = INT32_MAX),
	ITEMS(struct stint_node, taints, "taints", form_taint),
	CHOICE(struct stint_node, ready, "ready", truths),
	AT(struct stint_node, unschedulable, "unschedulable", FIELD_BOOL),
	AT(struct stint_node, pressures, "pressures", FIELD_U32),
};
FORM(form_node, struct stint_node, node_fields);

static const struct field amount_fields[] = {
	AT(struct stint_numa_amount, resource, "resource", FIELD_NAME),
	AT(struct stint_numa_amount, allocatable, "allocatable", FIELD_I64),
	AT(struct stint_numa_amount, available, "available", FIELD_I64),
};
static FORM(form_amount, struct stint_numa_amount, amount_fields);

static const struct field zone_fields[] = {
	AT(struct stint_numa_zone, number, "number", FIELD_I32, .otherwise = -1),
	ITEMS(struct stint_numa_zone, amounts, "amounts", form_amount),
};
FORM(form_zone, struct stint_numa_zone, zone_fields);

static const char *const numa_policies[] = {"none", "best-effort", "restricted", "single"};
static const struct field numa_fields[] = {
	CHOICE(struct stint_numa, policy, "policy", numa_policies),
	ITEMS(struct stint_numa, zones, "zones", form_zone),
};
FORM(form_numa, struct stint_numa, numa_fields);

static const struct field bound_fields[] = {
	AT(struct stint_queue_resource, quota, "quota", FIELD_DOUBLE),
	AT(struct stint_queue_resource, weight, "weight", FIELD_DOUBLE),
	AT(struct stint_queue_resource, limit, "limit", FIELD_DOUBLE),
	AT(struct stint_queue_resource, has_quota, "has_quota", FIELD_BOOL),
	AT(struct stint_queue_resource, has_weight, "has_weight", FIELD_BOOL),
	AT(struct stint_queue_resource, has_limit, "has_limit", FIELD_BOOL),
};
static FORM(form_bound, struct stint_queue_resource, bound_fields);

static const struct field queue_fields[] = {
	HEAD(struct stint_queue),
	AT(struct stint_queue, parent, "parent", FIELD_TEXT),
	AT(struct stint_queue, priority, "priority", FIELD_I32, .otherwise = 100),
	AT(struct stint_queue, gpu, "gpu", FIELD_ONE, .form = &form_bound),
	AT(struct stint_queue, cpu, "cpu", FIELD_ONE, .form = &form_bound),
	AT(struct stint_queue, memory, "memory", FIELD_ONE, .form = &form_bound),
	AT(struct stint_queue, preempt_min_runtime_ms, "preempt_min_runtime_ms", FIELD_I64, .otherwise = -1),
	AT(struct stint_queue, reclaim_min_runtime_ms, "reclaim_min_runtime_ms", FIELD_I64, .otherwise = -1),
};
FORM(form_queue, struct stint_queue, queue_fields);

static const struct field level_fields[] = {
	AT(struct stint_topology_level, node_label, "label", FIELD_NAME),
	AT(struct stint_topology_level, alias, "alias", FIELD_TEXT),
};
static FORM(form_level, struct stint_topology_level, level_fields);

static const struct field topology_fields[] = {
	HEAD(struct stint_topology),
	ITEMS(struct stint_topology, levels, "levels", form_level),
};
FORM(form_topology, struct stint_topology, topology_fields);

static const struct field space_fields[] = {HEAD(struct stint_space)};
FORM(form_space, struct stint_space, space_fields);

/* ---- devices through claims ------------------------------------------------------------------------------------------------------------- */

static const char *const attribute_kinds[] = {"int", "bool", "string", "version"};
static const struct field attribute_fields[] = {
	AT(struct stint_device_attribute, domain, "domain", FIELD_NAME),
	AT(struct stint_device_attribute, name, "name", FIELD_NAME),
	CHOICE(struct stint_device_attribute, kind, "kind", attribute_kinds),
	AT(struct stint_device_attribute, number, "number", FIELD_I64),
	AT(struct stint_device_attribute, text, "text", FIELD_TEXT),
};
static FORM(form_attribute, struct stint_device_attribute, attribute_fields);

static const struct field capacity_fields[] = {
	AT(struct stint_device_capacity, domain, "domain", FIELD_NAME),
	AT(struct stint_device_capacity, name, "name", FIELD_NAME),
	AT(struct stint_device_capacity, milli, "milli", FIELD_I64),
};
static FORM(form_capacity, struct stint_device_capacity, capacity_fields);

static const struct field device_fields[] = {
	AT(struct stint_device, name, "name", FIELD_NAME),
	ITEMS(struct stint_device, attributes, "attributes", form_attribute),
	ITEMS(struct stint_device, capacities, "capacities", form_capacity),
	AT(struct stint_device, special, "special", FIELD_BOOL),
};
static FORM(form_device, struct stint_device, device_fields);

static const struct field slice_fields[] = {
	HEAD(struct stint_resource_slice),
	AT(struct stint_resource_slice, driver, "driver", FIELD_NAME),
	AT(struct stint_resource_slice, pool, "pool", FIELD_NAME),
	AT(struct stint_resource_slice, generation, "generation", FIELD_I64),
	AT(struct stint_resource_slice, slices_total, "slices", FIELD_I64),
	AT(struct stint_resource_slice, node, "node", FIELD_TEXT),
	ITEMS(struct stint_resource_slice, devices, "devices", form_device),
};
FORM(form_slice, struct stint_resource_slice, slice_fields);

static const struct field class_fields[] = {
	HEAD(struct stint_device_class),
	AT(struct stint_device_class, selectors, "selectors", FIELD_SELECTORS),
	AT(struct stint_device_class, problem, "problem", FIELD_TEXT),
};
FORM(form_class, struct stint_device_class, class_fields);

static const struct field request_fields[] = {
	AT(struct stint_device_request, name, "name", FIELD_NAME),
	AT(struct stint_device_request, device_class, "class", FIELD_NAME),
	AT(struct stint_device_request, all, "all", FIELD_BOOL),
	AT(struct stint_device_request, count, "count", FIELD_I64),
	AT(struct stint_device_request, selectors, "selectors", FIELD_SELECTORS),
};
static FORM(form_request, struct stint_device_request, request_fields);

static const struct field match_fields[] = {
	AT(struct stint_device_match, domain, "domain", FIELD_NAME),
	AT(struct stint_device_match, name, "name", FIELD_NAME),
	TEXTS(struct stint_device_match, requests, "requests"),
};
static FORM(form_match, struct stint_device_match, match_fields);

static const struct field result_fields[] = {
	AT(struct stint_device_result, request, "request", FIELD_NAME),
	AT(struct stint_device_result, driver, "driver", FIELD_NAME),
	AT(struct stint_device_result, pool, "pool", FIELD_NAME),
	AT(struct stint_device_result, device, "device", FIELD_NAME),
};
static FORM(form_result, struct stint_device_result, result_fields);

static const struct field consumer_fields[] = {
	AT(struct stint_claim_consumer, api_group, "group", FIELD_TEXT),
	AT(struct stint_claim_consumer, resource, "resource", FIELD_TEXT),
	AT(struct stint_claim_consumer, name, "name", FIELD_TEXT),
	AT(struct stint_claim_consumer, uid, "uid", FIELD_TEXT),
};
static FORM(form_consumer, struct stint_claim_consumer, consumer_fields);

static const struct field claim_fields[] = {
	HEAD(struct stint_resource_claim),
	AT(struct stint_resource_claim, wanted, "wanted", FIELD_TEXT),
	ITEMS(struct stint_resource_claim, requests, "requests", form_request),
	ITEMS(struct stint_resource_claim, matches, "matches", form_match),
	AT(struct stint_resource_claim, problem, "problem", FIELD_TEXT),
	AT(struct stint_resource_claim, allocated, "allocated", FIELD_BOOL),
	AT(struct stint_resource_claim, node, "node", FIELD_TEXT),
	ITEMS(struct stint_resource_claim, results, "results", form_result),
	ITEMS(struct stint_resource_claim, consumers, "consumers", form_consumer),
};
FORM(form_claim, struct stint_resource_claim, claim_fields);

/* ---- groups and pods ----------------------------------------------------------------------------------------------------------------------- */

static const struct field part_fields[] = {
	AT(struct stint_part_spec, name, "name", FIELD_NAME),
	AT(struct stint_part_spec, parent, "parent", FIELD_U32),
	AT(struct stint_part_spec, inner, "inner", FIELD_BOOL),
	AT(struct stint_part_spec, needs, "needs", FIELD_U32),
	AT(struct stint_part_spec, constraint, "topology", FIELD_ONE, .form = &form_constraint),
};
static FORM(form_part, struct stint_part_spec, part_fields);

static const struct field group_fields[] = {
	AT(struct stint_group_spec, key, "key", FIELD_NAME),
	AT(struct stint_group_spec, queue, "queue", FIELD_TEXT),
	AT(struct stint_group_spec, priority, "priority", FIELD_I32),
	AT(struct stint_group_spec, preemptible, "preemptible", FIELD_BOOL),
	AT(struct stint_group_spec, created_ms, "created_ms", FIELD_I64),
	AT(struct stint_group_spec, min_member, "min_member", FIELD_U32),
	AT(struct stint_group_spec, time_ms, "time_ms", FIELD_I64),
	ITEMS(struct stint_group_spec, parts, "parts", form_part),
	TEXTS(struct stint_group_spec, pools, "pools"),
	AT(struct stint_group_spec, started_ms, "started_ms", FIELD_I64),
	AT(struct stint_group_spec, last_evicted_ms, "last_evicted_ms", FIELD_I64),
	AT(struct stint_group_spec, stale_since_ms, "stale_since_ms", FIELD_I64),
	AT(struct stint_group_spec, preemption_delay_ms, "preemption_delay_ms", FIELD_I64),
	AT(struct stint_group_spec, has_stale_grace, "has_stale_grace", FIELD_BOOL),
	AT(struct stint_group_spec, stale_grace_ms, "stale_grace_ms", FIELD_I64),
	AT(struct stint_group_spec, some_succeeded, "some_succeeded", FIELD_BOOL),
};
FORM(form_group, struct stint_group_spec, group_fields);

static const struct field requirement_fields[] = {
	AT(struct stint_requirement, key, "key", FIELD_NAME),
	CHOICE(struct stint_requirement, op, "op", operators),
	TEXTS(struct stint_requirement, values, "values"),
};
static FORM(form_requirement, struct stint_requirement, requirement_fields);

#define REQUIREMENTS(T, member, k) LIST(T, member.items, member.count, k, FIELD_ITEMS, .form = &form_requirement)
static const struct field term_fields[] = {
	REQUIREMENTS(struct stint_node_term, labels, "labels"),
	REQUIREMENTS(struct stint_node_term, fields, "fields"),
};
static FORM(form_term, struct stint_node_term, term_fields);

static const struct field reach_choice_fields[] = {
	AT(struct stint_reach_choice, volume, "volume", FIELD_TEXT),
	AT(struct stint_reach_choice, node, "node", FIELD_TEXT),
	AT(struct stint_reach_choice, anywhere, "anywhere", FIELD_BOOL),
	ITEMS(struct stint_reach_choice, terms, "terms", form_term),
};
static FORM(form_reach_choice, struct stint_reach_choice, reach_choice_fields);

static const struct field reach_need_fields[] = {
	AT(struct stint_reach_need, bound, "bound", FIELD_BOOL),
	ITEMS(struct stint_reach_need, choices, "choices", form_reach_choice),
};
FORM(form_reach_need, struct stint_reach_need, reach_need_fields);

static const struct field toleration_fields[] = {
	AT(struct stint_toleration, key, "key", FIELD_TEXT),
	AT(struct stint_toleration, value, "value", FIELD_NAME),
	AT(struct stint_toleration, exists, "exists", FIELD_BOOL),
	CHOICE(struct stint_toleration, effect, "effect", effects),
	AT(struct stint_toleration, seconds, "seconds", FIELD_I64, .otherwise = -1),
};
static FORM(form_toleration, struct stint_toleration, toleration_fields);

static const struct field port_fields[] = {
	AT(struct stint_host_port, ip, "ip", FIELD_TEXT),
	AT(struct stint_host_port, protocol, "protocol", FIELD_TEXT),
	AT(struct stint_host_port, port, "port", FIELD_I32),
};
static FORM(form_port, struct stint_host_port, port_fields);

static const struct field gpu_fields[] = {
	CHOICE(struct stint_gpu_ask, kind, "kind", gpu_kinds),
	AT(struct stint_gpu_ask, devices, "devices", FIELD_U32),
	AT(struct stint_gpu_ask, portion, "portion", FIELD_DOUBLE, .low = 0, .high = 1),
	AT(struct stint_gpu_ask, memory_mib, "memory_mib", FIELD_I64),
	AT(struct stint_gpu_ask, problem, "problem", FIELD_TEXT),
};
static FORM(form_gpu, struct stint_gpu_ask, gpu_fields);

static const struct field spec_fields[] = {
	AT(struct stint_pod_spec, request, "request", FIELD_ONE, .form = &form_resources),
	AT(struct stint_pod_spec, gpu, "gpu", FIELD_ONE, .form = &form_gpu),
	AT(struct stint_pod_spec, legacy_mig, "legacy_mig", FIELD_BOOL),
	AT(struct stint_pod_spec, node_selector, "node_selector", FIELD_PAIRS),
	AT(struct stint_pod_spec, has_required_terms, "has_terms", FIELD_BOOL),
	LIST(struct stint_pod_spec, required_terms, required_count, "terms", FIELD_ITEMS, .form = &form_term),
	ITEMS(struct stint_pod_spec, tolerations, "tolerations", form_toleration),
	ITEMS(struct stint_pod_spec, host_ports, "host_ports", form_port),
	AT(struct stint_pod_spec, pod_affinity, "pod_affinity", FIELD_TEXT),
	AT(struct stint_pod_spec, pod_anti_affinity, "pod_anti_affinity", FIELD_TEXT),
	AT(struct stint_pod_spec, topology_spread, "topology_spread", FIELD_TEXT),
};
FORM(form_spec, struct stint_pod_spec, spec_fields);

static const struct field pod_claim_fields[] = {
	AT(struct stint_pod_claim, name, "name", FIELD_NAME),
	AT(struct stint_pod_claim, claim, "claim", FIELD_TEXT),
	AT(struct stint_pod_claim, from_template, "from_template", FIELD_BOOL),
	AT(struct stint_pod_claim, unneeded, "unneeded", FIELD_BOOL),
};
static FORM(form_pod_claim, struct stint_pod_claim, pod_claim_fields);

static const struct field pod_fields[] = {
	HEAD(struct stint_pod),
	AT(struct stint_pod, node, "node", FIELD_TEXT),
	AT(struct stint_pod, nominated_node, "nominated_node", FIELD_TEXT),
	AT(struct stint_pod, started_ms, "started_ms", FIELD_I64, .otherwise = -1),
	AT(struct stint_pod, guaranteed, "guaranteed", FIELD_BOOL),
	ITEMS(struct stint_pod, claims, "claims", form_pod_claim),
	AT(struct stint_pod, spec, "spec", FIELD_SPEC),
};
FORM(form_pod, struct stint_pod, pod_fields);

const char *const pod_status_words[POD_STATUSES] = {"pending", "gated", "reserved", "assumed", "bound", "releasing", "stuck"};

/* ---- the policy ------------------------------------------------------------------------------------------------------------------------------- */

static const char *const placements[] = {"binpack", "spread", "unordered", "fragmentation"};
static const char *const backfills[] = {"easy", "conservative", "none"};
static const char *const min_runtimes[] = {"lca", "queue"};
static const char *const actions[STINT_ACTIONS] = {"allocate", "consolidation", "reclaim", "preempt", "staleGangEviction"};

static const struct field pool_fields[] = {
	AT(struct stint_pool_placement, pool, "pool", FIELD_NAME),
	CHOICE(struct stint_pool_placement, gpu_nodes, "gpu_nodes", placements),
	CHOICE(struct stint_pool_placement, gpu_devices, "gpu_devices", placements),
	AT(struct stint_pool_placement, prefer_shared, "prefer_shared", FIELD_BOOL),
};
static FORM(form_pool, struct stint_pool_placement, pool_fields);

static const struct field policy_fields[] = {
	CHOICE(struct stint_policy, gpu_nodes, "gpu_nodes", placements),
	CHOICE(struct stint_policy, cpu_nodes, "cpu_nodes", placements),
	CHOICE(struct stint_policy, gpu_devices, "gpu_devices", placements),
	AT(struct stint_policy, prefer_idle, "prefer_idle", FIELD_BOOL),
	AT(struct stint_policy, prefer_shared, "prefer_shared", FIELD_BOOL),
	AT(struct stint_policy, prefer_cpu_nodes, "prefer_cpu_nodes", FIELD_BOOL),
	AT(struct stint_policy, prefer_pod_affinity, "prefer_pod_affinity", FIELD_BOOL),
	AT(struct stint_policy, usage_factor, "usage_factor", FIELD_DOUBLE),
	CHOICE(struct stint_policy, backfill, "backfill", backfills),
	AT(struct stint_policy, hold_moved_ms, "hold_moved_ms", FIELD_I64),
	LIST(struct stint_policy, actions, actions_count, "actions", FIELD_CHOICES, .names = actions, .names_count = STINT_ACTIONS),
	AT(struct stint_policy, queue_depth[STINT_ACTION_ALLOCATE], "allocate_depth", FIELD_U32),
	AT(struct stint_policy, queue_depth[STINT_ACTION_CONSOLIDATION], "consolidation_depth", FIELD_U32),
	AT(struct stint_policy, queue_depth[STINT_ACTION_RECLAIM], "reclaim_depth", FIELD_U32),
	AT(struct stint_policy, queue_depth[STINT_ACTION_PREEMPT], "preempt_depth", FIELD_U32),
	AT(struct stint_policy, queue_depth[STINT_ACTION_STALE], "stale_depth", FIELD_U32),
	AT(struct stint_policy, consolidation_max_victims, "consolidation_max_victims", FIELD_U32),
	AT(struct stint_policy, reclaim_may_consolidate, "reclaim_may_consolidate", FIELD_BOOL),
	AT(struct stint_policy, reclaim_saturation, "reclaim_saturation", FIELD_DOUBLE),
	CHOICE(struct stint_policy, min_runtime_method, "min_runtime_method", min_runtimes),
	AT(struct stint_policy, preempt_min_runtime_ms, "preempt_min_runtime_ms", FIELD_I64),
	AT(struct stint_policy, reclaim_min_runtime_ms, "reclaim_min_runtime_ms", FIELD_I64),
	AT(struct stint_policy, stale_grace_ms, "stale_grace_ms", FIELD_I64),
	ITEMS(struct stint_policy, pools, "pools", form_pool),
};
FORM(form_policy, struct stint_policy, policy_fields);

/*
 * A structure that has grown must have its new field in its table above: a journal without it would be replayed without it. Then count here.
 */
#ifdef __x86_64__
_Static_assert(sizeof(struct stint_group_spec) == 128, "stint_group_spec has changed");
_Static_assert(sizeof(struct stint_part_spec) == 48, "stint_part_spec has changed");
_Static_assert(sizeof(struct stint_pod_facts) == 72, "stint_pod_facts has changed: see replay.c, too");
_Static_assert(sizeof(struct stint_policy) == 144, "stint_policy has changed");
#endif

/* ---- kinds ------------------------------------------------------------------------------------------------------------------------------------- */

const struct form_of_kind *form_of(enum stint_kind kind)
{
	static const struct form_of_kind kinds[KINDS] = {
		[STINT_KIND_NODE] = {"node", "node_gone", &form_node},
		[STINT_KIND_QUEUE] = {"queue", "queue_gone", &form_queue},
		[STINT_KIND_TOPOLOGY] = {"topology", "topology_gone", &form_topology},
		[STINT_KIND_NAMESPACE] = {"namespace", "namespace_gone", &form_space},
		[STINT_KIND_RESOURCE_SLICE] = {"slice", "slice_gone", &form_slice},
		[STINT_KIND_DEVICE_CLASS] = {"class", "class_gone", &form_class},
		[STINT_KIND_RESOURCE_CLAIM] = {"claim", "claim_gone", &form_claim},
	};
	return (unsigned)kind < KINDS && kinds[kind].form ? &kinds[kind] : NULL;
}
