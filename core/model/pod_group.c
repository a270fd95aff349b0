/* The decoder of PodGroup (kai-api 1.2). */
#include "core/model/private.h"

struct stint_pod_group *stint_pod_group_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_POD_GROUP ? (struct stint_pod_group *)object : NULL;
}

static void pod_group_init(struct stint_object *object)
{
	struct stint_pod_group *group = stint_pod_group_of(object);
	group->min_member = -1;
	group->min_subgroup = -1;
	group->preemption_delay_ms = -1;
	group->staleness_grace_ms = INT64_MIN;
}

static void constraint_drop(struct stint_model *model, const struct stint_topology_constraint *constraint)
{
	stint_text_drop(model, constraint->topology);
	stint_text_drop(model, constraint->required_level);
	stint_text_drop(model, constraint->preferred_level);
}

static bool read_constraint(struct decoder *d, struct stint_topology_constraint *out)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "topology"))
			read_name(d, &out->topology);
		else if (KEY_IS(key, "requiredTopologyLevel"))
			read_name(d, &out->required_level);
		else if (KEY_IS(key, "preferredTopologyLevel"))
			read_name(d, &out->preferred_level);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_subgroup(struct decoder *d, struct stint_subgroup *out)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name"))
			read_name(d, &out->name);
		else if (KEY_IS(key, "parent"))
			read_name(d, &out->parent);
		else if (KEY_IS(key, "minMember"))
			read_int32(d, &out->min_member);
		else if (KEY_IS(key, "minSubGroup"))
			read_int32(d, &out->min_subgroup);
		else if (KEY_IS(key, "topologyConstraint"))
			read_constraint(d, &out->constraint);
		else
			stint_cursor_skip(d->c);
	}
	if (!d->c->error && !out->name)
		return decode_fail(d, "a subgroup without a name");
	return !d->c->error;
}

static void subgroups_drop(struct stint_model *model, struct stint_pod_group *group)
{
	for (uint32_t i = 0; i < group->subgroups_count; i++) {
		stint_text_drop(model, group->subgroups[i].name);
		stint_text_drop(model, group->subgroups[i].parent);
		constraint_drop(model, &group->subgroups[i].constraint);
	}
	stint_free_pointer(&group->subgroups);
	group->subgroups_count = 0;
}

static bool read_subgroups(struct decoder *d, struct stint_pod_group *group)
{
	struct stint_subgroup *items = NULL;
	size_t used = 0, capacity = 0;
	subgroups_drop(d->model, group);
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used] = (struct stint_subgroup){.min_member = -1, .min_subgroup = -1};
		read_subgroup(d, &items[used++]);
	}
	group->subgroups = items;
	group->subgroups_count = (uint32_t)used;
	return !d->c->error;
}

static bool read_preemptibility(struct decoder *d, enum stint_preemptibility *out)
{
	struct stint_slice text;
	if (!read_value(d, &text))
		return false;
	*out = KEY_IS(text, "preemptible")	  ? STINT_PREEMPTIBLE
		: KEY_IS(text, "non-preemptible") ? STINT_NON_PREEMPTIBLE
						  : STINT_PREEMPTIBILITY_UNSET;
	return true;
}

static bool read_pod_group_spec(struct decoder *d, struct stint_pod_group *group)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "minMember"))
			read_int32(d, &group->min_member);
		else if (KEY_IS(key, "minSubGroup"))
			read_int32(d, &group->min_subgroup);
		else if (KEY_IS(key, "queue"))
			read_name(d, &group->queue);
		else if (KEY_IS(key, "priorityClassName"))
			read_name(d, &group->priority_class);
		else if (KEY_IS(key, "preemptibility"))
			read_preemptibility(d, &group->preemptibility);
		else if (KEY_IS(key, "topologyConstraint"))
			read_constraint(d, &group->constraint);
		else if (KEY_IS(key, "subGroups"))
			read_subgroups(d, group);
		else if (KEY_IS(key, "markUnschedulable"))
			read_truth(d, &group->mark_unschedulable);
		else if (KEY_IS(key, "schedulingBackoff"))
			read_int32(d, &group->scheduling_backoff);
		else if (KEY_IS(key, "preemptionDelay"))
			read_duration(d, &group->preemption_delay_ms);
		else if (KEY_IS(key, "stalenessGracePeriod"))
			read_duration(d, &group->staleness_grace_ms);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool pod_group_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	return KEY_IS(key, "spec") ? read_pod_group_spec(d, stint_pod_group_of(object)) : stint_cursor_skip(d->c);
}

static void pod_group_drop(struct stint_object *object)
{
	struct stint_pod_group *group = stint_pod_group_of(object);
	stint_text_drop(object->model, group->queue);
	stint_text_drop(object->model, group->priority_class);
	constraint_drop(object->model, &group->constraint);
	subgroups_drop(object->model, group);
}

static size_t pod_group_bytes(const struct stint_object *object)
{
	return ((const struct stint_pod_group *)object)->subgroups_count * sizeof(struct stint_subgroup);
}

const struct kind_decoder decode_pod_group_kind = {
	.name = "pod group",
	.size = sizeof(struct stint_pod_group),
	.annotations = PAIRS_SHORT,
	.init = pod_group_init,
	.read_member = pod_group_read_member,
	.drop = pod_group_drop,
	.bytes = pod_group_bytes,
};
