/*
 * segments: the pods of an Indexed Job cut into runs of equal length by their index, each a sub-group of its own that may be bound to a
 * domain of a topology (kai-api 3.4). See stint/grouping.h. Holds no state.
 *
 * Segment i holds the pods from i * size on and needs all of them; the last one may be shorter. With a minimum below the number of
 * pods, segments that lie behind it need none.
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

static const char size_key[] = "kai.scheduler/segment-size";
static const char index_key[] = "batch.kubernetes.io/job-completion-index";

static const struct stint_owner *job_of(const struct stint_owner_chain *chain)
{
	const struct stint_owner *owner = chain->count ? chain->objects[0] : NULL;
	return owner && owner->kind_name && strcmp(owner->kind_name, "Job") == 0 ? owner : NULL;
}

static const char *text_at(const struct stint_pod *pod, const struct stint_owner_chain *chain, const char *key)
{
	const char *text = stint_owners_annotation(chain, key);
	return text ? text : stint_object_annotation(&pod->meta, key);
}

void grouping_read_segments(
	const struct stint_pod *pod, const struct stint_owner_chain *chain, const struct stint_pod_group *group, struct stint_segments *out)
{
	const struct stint_owner *job = job_of(chain);
	const char *size = text_at(pod, chain, size_key);
	if (!job || !size || (group && group->subgroups_count))
		return;
	const char *topology = text_at(pod, chain, "kai.scheduler/topology");
	out->asked = size;
	out->indexed = job->indexed;
	out->total = job->completions > 0 ? job->completions : job->parallelism > 0 ? job->parallelism : 1;
	out->constraint = (struct stint_topology_constraint){
		.topology = topology || !group ? topology : group->constraint.topology,
		.required_level = text_at(pod, chain, "kai.scheduler/segment-topology-required-placement"),
		.preferred_level = text_at(pod, chain, "kai.scheduler/segment-topology-preferred-placement"),
	};
}

bool grouping_segments_check(const struct stint_segments *segments, int32_t pods, int64_t size, struct stint_error **err)
{
	const struct stint_topology_constraint *constraint = &segments->constraint;
	if ((pods + size - 1) / size > STINT_SEGMENTS_MAX)
		return stint_fail(err, STINT_USAGE, "%d pods in segments of %lld are more than %d segments: make them larger", pods,
			(long long)size, STINT_SEGMENTS_MAX);
	if ((constraint->required_level || constraint->preferred_level) && !constraint->topology)
		return stint_fail(err, STINT_USAGE,
			"segments are bound to \"%s\" of no topology: name it by annotation kai.scheduler/topology",
			constraint->required_level ? constraint->required_level : constraint->preferred_level);
	return true;
}

/* 0: *err says what is wrong. */
static int64_t size_of(const struct stint_segments *segments, struct stint_error **err)
{
	int64_t size = 0;
	if (!stint_parse_int(segments->asked, 1, INT32_MAX, &size))
		stint_fail(err, STINT_USAGE, "\"%s\" is no size of a segment: give a whole number from 1 on", segments->asked);
	else if (!segments->indexed)
		stint_fail(err, STINT_USAGE, "segments go by the index of a pod, and the Job is not Indexed: set completionMode: Indexed");
	else if (grouping_segments_check(segments, segments->total, size, err))
		return size;
	return 0;
}

static bool append_segments(struct stint_subgroups *out, const struct stint_segments *segments, int32_t minimum, struct stint_error **err)
{
	const int64_t size = size_of(segments, err);
	if (!size)
		return false;
	const struct stint_topology_constraint *constraint = &segments->constraint;
	const size_t count = (size_t)((segments->total + size - 1) / size);
	out->parts = stint_realloc(out->parts, (count + 1) * sizeof(*out->parts));
	out->names = stint_alloc((count + 1) * sizeof(*out->names));
	for (size_t i = 0; i < count; i++) {
		const int64_t first = (int64_t)i * size, left = segments->total - first;
		out->names[i] = stint_format("segment-%zu", i);
		out->parts[out->count++] = (struct stint_part_spec){
			.name = out->names[i],
			.needs = first < minimum ? (uint32_t)(left < size ? left : size) : 0,
		};
		if (constraint->required_level || constraint->preferred_level)
			out->parts[i + 1].constraint = *constraint;
	}
	return true;
}

char *stint_grouping_part(const struct stint_grouping *grouping, const struct stint_pod *pod)
{
	const char *index = stint_object_annotation(&pod->meta, index_key);
	int64_t size = 0, at = 0;
	if (grouping->pod_group && grouping->pod_group->subgroups_count) {
		const char *name = stint_object_label(&pod->meta, "kai.scheduler/subgroup-name");
		return name ? stint_strdup(name) : NULL;
	}
	if (grouping_roles_have_parts(grouping))
		return grouping_roles_part(grouping, pod);
	if (!grouping->segments.asked || !stint_parse_int(grouping->segments.asked, 1, INT32_MAX, &size))
		return NULL;
	if (!index)
		index = stint_object_label(&pod->meta, index_key);
	if (!index || !stint_parse_int(index, 0, INT32_MAX, &at))
		return NULL;
	return stint_format("segment-%lld", (long long)(at / size));
}

bool stint_grouping_has_parts(const struct stint_grouping *grouping)
{
	return (grouping->pod_group && grouping->pod_group->subgroups_count) || grouping_roles_have_parts(grouping) ||
		stint_grouping_has_segments(grouping);
}

bool stint_grouping_has_segments(const struct stint_grouping *grouping)
{
	return grouping->segments.asked || grouping->segments.given >= 0;
}

bool stint_grouping_parts(const struct stint_grouping *grouping, struct stint_subgroups *out, struct stint_error **err)
{
	*out = (struct stint_subgroups){0};
	if (grouping_roles_have_parts(grouping))
		return grouping_roles_parts(grouping, out, err);
	if (!stint_grouping_has_segments(grouping))
		return stint_subgroups_read(out, grouping->pod_group, &grouping->constraint, stint_grouping_needs(grouping), err);
	const struct stint_topology_constraint *own = grouping->pod_group ? &grouping->pod_group->constraint : NULL;
	subgroups_root(out, own && own->topology ? own : &grouping->constraint);
	if (append_segments(out, &grouping->segments, grouping->minimum, err))
		return true;
	stint_subgroups_clear(out);
	return false;
}
