/*
 * grouper: pod and catalog to group. See stint/grouping.h. Holds no state and does no I/O.
 *
 * Order of the rules: a PodGroup that the pod names rules alone; else the kind of the top owner decides (table below); a kind that is
 * not in the table makes one group of all pods of the owner with minimum 1, as KAI's default does.
 */
#include "private.h"

#include <stint/workload.h>

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PRIORITY = 50, NON_PREEMPTIBLE_FROM = 100, MOST_TIME_S = INT32_MAX };

/* How pods of an owner are grouped. */
enum shape {
	ONE_GROUP, /* all pods of the owner */
	EACH_POD, /* replicas that serve or work alone: one by one */
};

static const struct kind_rule {
	const char *kind;
	enum shape shape;
	const char *priority_class; /* when neither owner nor pod names one that exists */
} kind_rules[] = {
	{"Job", ONE_GROUP, "train"},
	{"ReplicaSet", EACH_POD, "train"},
	{"StatefulSet", EACH_POD, "train"},
	{"Deployment", EACH_POD, "inference"},
};
static const struct kind_rule other_kind = {"", ONE_GROUP, "train"};

static const struct kind_rule *rule_of(const char *kind)
{
	for (size_t i = 0; i < STINT_COUNT(kind_rules); i++) {
		if (strcmp(kind_rules[i].kind, kind) == 0)
			return &kind_rules[i];
	}
	return &other_kind;
}

static int32_t priority_of(const struct stint_catalog *catalog, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct stint_priority_class *class = stint_catalog_priority_class(catalog, names[i]);
		if (class)
			return class->value;
	}
	const struct stint_priority_class *otherwise = stint_catalog_default_class(catalog);
	return otherwise ? otherwise->value : DEFAULT_PRIORITY;
}

static bool preemptible_by(const char *word, int32_t priority)
{
	if (word && strcmp(word, "preemptible") == 0)
		return true;
	if (word && strcmp(word, "non-preemptible") == 0)
		return false;
	return priority < NON_PREEMPTIBLE_FROM;
}

/* A label decides even when its queue does not exist: to run under another queue's quota would be worse than to wait. */
static void find_queue(const struct stint_catalog *catalog, const char *label, const char *space, struct stint_grouping *out)
{
	const char *name = label ? label : stint_catalog_project(catalog, space);
	if (name) {
		out->queue = name;
	} else if (stint_catalog_queue(catalog, "default")) {
		out->queue = "default";
	} else if (stint_catalog_queue(catalog, "default-queue")) {
		out->queue = "default-queue";
	}
	if (!stint_catalog_queue(catalog, out->queue))
		out->wait = STINT_GROUPING_NEEDS_QUEUE;
}

static void group_by_object(const struct stint_catalog *catalog, const struct stint_pod *pod, const struct stint_owner_chain *chain,
	const struct stint_pod_group *group, struct stint_grouping *out)
{
	out->pod_group = group;
	out->key = stint_format("%s/PodGroup/%s/%s", group->meta.space, group->meta.name, group->meta.uid ? group->meta.uid : "");
	out->uid = group->meta.uid;
	out->created_ms = group->meta.created_ms;
	out->workload_kind = chain->top ? chain->top->kind : "PodGroup";
	out->workload_name = chain->top ? chain->top->name : group->meta.name;
	out->minimum = group->min_member >= 0 ? group->min_member : 1;
	out->preemption_delay_ms = group->preemption_delay_ms > 0 ? group->preemption_delay_ms : 0;
	out->has_stale_grace = group->staleness_grace_ms != INT64_MIN;
	out->stale_grace_ms = out->has_stale_grace ? group->staleness_grace_ms : 0;
	const char *names[] = {group->priority_class};
	out->priority = priority_of(catalog, names, STINT_COUNT(names));
	const char *word = group->preemptibility == STINT_PREEMPTIBLE ? "preemptible"
		: group->preemptibility == STINT_NON_PREEMPTIBLE      ? "non-preemptible"
								      : NULL;
	out->preemptible = preemptible_by(word, out->priority);
	const char *queue = group->queue && group->queue[0] ? group->queue : stint_object_label(&group->meta, "kai.scheduler/queue");
	if (!queue)
		queue = stint_owners_label(chain, "kai.scheduler/queue");
	if (!queue)
		queue = stint_object_label(&pod->meta, "kai.scheduler/queue");
	find_queue(catalog, queue, pod->meta.space, out);
}

static const char *own_or_owners(const struct stint_pod *pod, const struct stint_owner_chain *chain, const char *key)
{
	const char *text = stint_owners_annotation(chain, key);
	return text ? text : stint_object_annotation(&pod->meta, key);
}

static void read_delays(const struct stint_pod *pod, const struct stint_owner_chain *chain, struct stint_grouping *out)
{
	const char *delay = own_or_owners(pod, chain, "kai.scheduler/preemption-delay");
	const char *grace = own_or_owners(pod, chain, "kai.scheduler/staleness-grace-period");
	if (delay && !stint_duration_parse(delay, &out->preemption_delay_ms))
		out->preemption_delay_ms = 0;
	if (!grace)
		return;
	/* Negative: never. */
	out->has_stale_grace = grace[0] == '-' || stint_duration_parse(grace, &out->stale_grace_ms);
	out->stale_grace_ms = grace[0] == '-' ? -1 : out->stale_grace_ms;
}

static void group_by_owner(
	const struct stint_catalog *catalog, const struct stint_pod *pod, const struct stint_owner_chain *chain, struct stint_grouping *out)
{
	/* A CronJob's runs are Jobs: each is a workload of its own, or tonight's run would wait for last night's. */
	const struct stint_owner_reference *top = chain->top;
	const struct stint_owner *object = chain->count ? chain->objects[chain->count - 1] : NULL;
	if (top && strcmp(top->kind, "CronJob") == 0 && chain->count)
		top = chain->count > 1 ? &chain->objects[chain->count - 2]->meta.owner : &pod->meta.owner;
	const struct kind_rule *rule = top ? rule_of(top->kind) : &other_kind;
	const struct stint_owner *roles = grouping_roles_owner(chain);
	const bool each = !roles && (!top || rule->shape == EACH_POD);

	out->workload_kind = top ? top->kind : "Pod";
	out->workload_name = top ? top->name : pod->meta.name;
	out->uid = each ? pod->meta.uid : top->uid;
	out->key = stint_format(
		"%s/%s/%s/%s", pod->meta.space, each ? "Pod" : top->kind, each ? pod->meta.name : top->name, out->uid ? out->uid : "");
	out->created_ms = each || !object ? pod->meta.created_ms : object->meta.created_ms;

	read_delays(pod, chain, out);
	if (roles) {
		free(out->key);
		out->key = grouping_roles_key(pod, roles);
		out->uid = roles->meta.uid;
		out->created_ms = roles->meta.created_ms;
		grouping_read_roles(pod, chain, roles, out);
	} else if (!each) {
		int64_t minimum = 0;
		const char *text = stint_owners_annotation(chain, "kai.scheduler/batch-min-member");
		if (text && stint_parse_int(text, 0, INT32_MAX, &minimum))
			out->minimum = (int32_t)minimum;
	}
	out->constraint = (struct stint_topology_constraint){
		.topology = stint_owners_annotation(chain, "kai.scheduler/topology"),
		.required_level = stint_owners_annotation(chain, "kai.scheduler/topology-required-placement"),
		.preferred_level = stint_owners_annotation(chain, "kai.scheduler/topology-preferred-placement"),
	};
	const char *names[] = {stint_owners_label(chain, "priorityClassName"), stint_object_label(&pod->meta, "priorityClassName"),
		pod->spec->priority_class, rule->priority_class};
	out->priority = priority_of(catalog, names, STINT_COUNT(names));
	const char *word = stint_owners_label(chain, "kai.scheduler/preemptibility");
	out->preemptible = preemptible_by(word ? word : stint_object_label(&pod->meta, "kai.scheduler/preemptibility"), out->priority);
	const char *queue = stint_owners_label(chain, "kai.scheduler/queue");
	find_queue(catalog, queue ? queue : stint_object_label(&pod->meta, "kai.scheduler/queue"), pod->meta.space, out);
}

void stint_group_pod(const struct stint_catalog *catalog, const struct stint_pod *pod, struct stint_grouping *out)
{
	*out = (struct stint_grouping){.space = pod->meta.space, .minimum = 1, .segments.given = -1};
	const struct stint_owner_chain chain = stint_owners_of(catalog, pod);
	const char *name = stint_object_annotation(&pod->meta, "pod-group-name");
	const struct stint_pod_group *group = name ? stint_catalog_pod_group(catalog, pod->meta.space, name) : NULL;
	if (group)
		group_by_object(catalog, pod, &chain, group, out);
	else
		group_by_owner(catalog, pod, &chain, out);
	if (name && !group) {
		out->wait = STINT_GROUPING_NEEDS_POD_GROUP;
		out->missing = name;
	} else if (chain.missing && !group) {
		out->wait = STINT_GROUPING_NEEDS_OWNER;
	}
	if (out->minimum < 1)
		out->minimum = 1;
	grouping_read_pools(catalog, pod, &chain, group, out);
	if (!out->roles)
		grouping_read_segments(pod, &chain, group, &out->segments);
	int64_t seconds = 0;
	const char *time = stint_object_annotation(&pod->meta, STINT_ANNOTATION_TIME);
	if (time && stint_parse_int(time, 1, MOST_TIME_S, &seconds))
		out->time_ms = seconds * 1000;
	else if (pod->spec->active_deadline_s > 0)
		out->time_ms = pod->spec->active_deadline_s * 1000;
}

void stint_grouping_clear(struct stint_grouping *grouping)
{
	free(grouping->key);
	*grouping = (struct stint_grouping){0};
}

int32_t stint_grouping_minimum(int32_t minimum, int64_t succeeded)
{
	if (succeeded <= 0)
		return minimum;
	return succeeded >= minimum - 1 ? 1 : (int32_t)(minimum - succeeded);
}
