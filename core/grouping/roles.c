/*
 * roles: the gangs of jobs of several roles (Kubeflow's) and of LeaderWorkerSets, by what their objects say (kai-api 3.3, 3.4, 3.6). See
 * stint/grouping.h. Holds no state.
 *
 * A PyTorchJob has sub-groups "master" and "worker", and with segments "worker" holds "worker-0" and so on. A group of a LeaderWorkerSet has
 * "leader" and "workers", and with segments "segment-0" and so on, the first of which holds the leader and its workers unless the leader is
 * apart. All else is one set of pods. What a pod's own annotations say is not asked, so that all pods of a job make the same tree.
 *
 * What is made only once others run (the workers of LeaderReady, a launcher that waits for its workers) is not waited for: nobody needs
 * a place for it before it is there.
 */
#include "private.h"

#include <stint/model_roles.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KUBEFLOW "training.kubeflow.org/"
#define LEADER_SET "leaderworkerset.sigs.k8s.io/"
#define SEGMENT "kai.scheduler/segment-"

static bool is_set(const struct stint_owner *owner)
{
	return owner->roles->size > 0;
}

static bool is_pytorch(const struct stint_owner *owner)
{
	return !is_set(owner) && owner->kind_name && strcmp(owner->kind_name, "PyTorchJob") == 0;
}

const struct stint_owner *grouping_roles_owner(const struct stint_owner_chain *chain)
{
	for (size_t i = chain->count; i-- > 0;) {
		const struct stint_roles *roles = chain->objects[i]->roles;
		if (roles && (roles->size > 0 || roles->total > 0))
			return chain->objects[i];
	}
	return NULL;
}

/* -1: the label is not there, or no index. */
static int64_t index_label(const struct stint_pod *pod, const char *key)
{
	const char *text = stint_object_label(&pod->meta, key);
	int64_t index = 0;
	return text && stint_parse_int(text, 0, INT32_MAX, &index) ? index : -1;
}

static bool has_role(const struct stint_pod *pod, const char *role)
{
	const char *type = stint_object_label(&pod->meta, KUBEFLOW "replica-type");
	if (!type)
		type = stint_object_label(&pod->meta, KUBEFLOW "job-role");
	return type && strcasecmp(type, role) == 0;
}

char *grouping_roles_key(const struct stint_pod *pod, const struct stint_owner *owner)
{
	stint_auto_buf key = {0};
	stint_buf_printf(
		&key, "%s/%s/%s/%s", owner->meta.space, owner->kind_name ? owner->kind_name : "", owner->meta.name, owner->meta.uid);
	const int64_t index = is_set(owner) ? index_label(pod, LEADER_SET "group-index") : -1;
	if (index >= 0)
		stint_buf_printf(&key, "/%lld", (long long)index);
	return stint_buf_steal(&key);
}

static const char *segment_text(const struct stint_owner_chain *chain, const struct stint_owner *owner, const char *key)
{
	const char *text = stint_owners_annotation(chain, key);
	return text ? text : stint_pairs_get(&owner->template_annotations, key);
}

static void read_segments(const struct stint_owner_chain *chain, const struct stint_owner *owner, struct stint_segments *out)
{
	if (is_set(owner))
		out->given = owner->roles->subgroup_size;
	if (out->given < 0)
		out->asked = segment_text(chain, owner, SEGMENT "size");
	out->constraint = (struct stint_topology_constraint){
		.topology = segment_text(chain, owner, "kai.scheduler/topology"),
		.required_level = segment_text(chain, owner, SEGMENT "topology-required-placement"),
		.preferred_level = segment_text(chain, owner, SEGMENT "topology-preferred-placement"),
	};
}

void grouping_read_roles(
	const struct stint_pod *pod, const struct stint_owner_chain *chain, const struct stint_owner *owner, struct stint_grouping *out)
{
	const struct stint_roles *roles = owner->roles;
	out->roles = owner;
	if (is_set(owner)) {
		out->minimum = roles->size;
		out->late = roles->leader_first ? roles->size - 1 : 0;
		out->late_seen = index_label(pod, LEADER_SET "worker-index") > 0;
	} else {
		const char *said = stint_owners_annotation(chain, "kai.scheduler/batch-min-member");
		int64_t minimum = 0;
		out->minimum = roles->min_available >= 0 ? roles->min_available
			: roles->min_elastic >= 0	 ? roles->min_elastic
							 : roles->total;
		if (said && stint_parse_int(said, 1, INT32_MAX, &minimum))
			out->minimum = (int32_t)minimum;
		out->late = roles->launcher_last ? roles->launchers : 0;
		out->late_seen = has_role(pod, "launcher");
	}
	if (is_set(owner) || is_pytorch(owner))
		read_segments(chain, owner, &out->segments);
}

int32_t stint_grouping_needs(const struct stint_grouping *grouping)
{
	const int32_t late = grouping->late_seen ? 0 : grouping->late;
	return grouping->minimum - late > 1 ? grouping->minimum - late : 1;
}

bool grouping_roles_have_parts(const struct stint_grouping *grouping)
{
	return grouping->roles && (is_set(grouping->roles) || is_pytorch(grouping->roles));
}

/* ---- segments ------------------------------------------------------------------------------------------------------------------------------ */

/* 0: there are none, or *err says what is wrong. */
static int32_t size_of(const struct stint_grouping *grouping, struct stint_error **err)
{
	const struct stint_segments *segments = &grouping->segments;
	const struct stint_roles *roles = grouping->roles->roles;
	int64_t size = segments->given;
	if (!stint_grouping_has_segments(grouping))
		return 0;
	const bool is_number = !segments->asked || stint_parse_int(segments->asked, 1, INT32_MAX, &size);
	stint_autofree char *written = segments->asked ? stint_strdup(segments->asked) : stint_format("%lld", (long long)size);
	if (is_set(grouping->roles) && (!is_number || size < 2 || size > roles->size))
		stint_fail(err, STINT_USAGE,
			"\"%s\" is no size of a segment: give a whole number from 2 to %d, the pods of a group of the LeaderWorkerSet",
			written, roles->size);
	else if (!is_number)
		stint_fail(err, STINT_USAGE, "\"%s\" is no size of a segment: give a whole number from 1 on", written);
	else if (roles->leader_apart && (roles->size - 1) % size != 0)
		stint_fail(err, STINT_USAGE,
			"the %d workers of a leader that is apart cannot be cut in segments of %lld: give a size that divides them",
			roles->size - 1, (long long)size);
	else if (grouping_segments_check(segments, is_set(grouping->roles) ? roles->size : roles->workers, size, err))
		return (int32_t)size;
	return 0;
}

/* The workers of a set are counted with their leader, which is 0, unless it is apart, or is one too many for segments that its spec asks for. */
static bool counts_leader(const struct stint_grouping *grouping, int32_t size)
{
	const struct stint_roles *roles = grouping->roles->roles;
	return !roles->leader_apart && !(grouping->segments.given > 0 && (roles->size - 1) % size == 0);
}

static char *worker_part(const struct stint_grouping *grouping, const struct stint_pod *pod)
{
	int64_t at = index_label(pod, KUBEFLOW "replica-index");
	const int32_t size = size_of(grouping, NULL);
	if (!size)
		return stint_strdup("worker");
	return at >= 0 ? stint_format("worker-%lld", (long long)(at / size)) : NULL;
}

static char *set_part(const struct stint_grouping *grouping, const struct stint_pod *pod)
{
	const int64_t at = index_label(pod, LEADER_SET "worker-index");
	const int32_t size = size_of(grouping, NULL);
	if (at <= 0)
		return at == 0 ? stint_strdup("leader") : NULL;
	if (!size)
		return stint_strdup("workers");
	const int64_t segment = (counts_leader(grouping, size) ? at : at - 1) / size;
	return segment == 0 && !grouping->roles->roles->leader_apart ? stint_strdup("segment-0-workers")
								     : stint_format("segment-%lld", (long long)segment);
}

char *grouping_roles_part(const struct stint_grouping *grouping, const struct stint_pod *pod)
{
	const struct stint_roles *roles = grouping->roles->roles;
	if (is_set(grouping->roles))
		return set_part(grouping, pod);
	const bool is_master = roles->masters > 0 && (has_role(pod, "master") || roles->workers == 0);
	return is_master ? stint_strdup("master") : worker_part(grouping, pod);
}

/* ---- the tree ------------------------------------------------------------------------------------------------------------------------------ */

struct tree {
	struct stint_subgroups *out;
	size_t names;
};

/* Returns its place. name is handed over. */
static uint32_t append(struct tree *tree, uint32_t parent, char *name, uint32_t needs)
{
	tree->out->names[tree->names++] = name;
	tree->out->parts[tree->out->count] = (struct stint_part_spec){.name = name, .parent = parent, .needs = needs};
	return (uint32_t)tree->out->count++;
}

static void append_segment(
	struct tree *tree, uint32_t parent, char *name, int32_t needs, const struct stint_topology_constraint *constraint)
{
	const uint32_t at = append(tree, parent, name, needs > 0 ? (uint32_t)needs : 0);
	if (constraint->required_level || constraint->preferred_level)
		tree->out->parts[at].constraint = *constraint;
}

static int32_t lesser(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* Those that lie behind the minimum of an elastic job need none. */
static void append_pytorch(struct tree *tree, const struct stint_grouping *grouping, int32_t size)
{
	const struct stint_roles *roles = grouping->roles->roles;
	const int32_t workers_need = grouping->minimum - roles->masters > 0 ? grouping->minimum - roles->masters : 0;
	if (roles->masters > 0)
		append(tree, 0, stint_strdup("master"), (uint32_t)roles->masters);
	if (roles->workers == 0 && roles->masters > 0)
		return;
	const uint32_t workers = append(tree, 0, stint_strdup("worker"), (uint32_t)workers_need);
	if (!size)
		return;
	tree->out->parts[workers].inner = true;
	tree->out->parts[workers].needs = STINT_ALL;
	for (int32_t i = 0, first = 0; first < roles->workers; i++, first += size) {
		const int32_t length = lesser(roles->workers - first, size);
		append_segment(
			tree, workers, stint_format("worker-%d", i), first < workers_need ? length : 0, &grouping->segments.constraint);
		if (length < size)
			break;
	}
}

static void append_set(struct tree *tree, const struct stint_grouping *grouping, int32_t size)
{
	const struct stint_topology_constraint *constraint = &grouping->segments.constraint;
	const struct stint_roles *roles = grouping->roles->roles;
	const bool away = grouping->late > 0 && !grouping->late_seen;
	int32_t left = roles->size - 1;
	if (!size || roles->leader_apart)
		append(tree, 0, stint_strdup("leader"), 1);
	if (!size && left > 0)
		append(tree, 0, stint_strdup("workers"), away ? 0 : (uint32_t)left);
	for (int32_t i = 0; size && left > 0; i++) {
		const bool with_leader = i == 0 && !roles->leader_apart;
		const int32_t length = lesser(left, with_leader && counts_leader(grouping, size) ? size - 1 : size);
		uint32_t parent = 0;
		if (with_leader) {
			append_segment(tree, 0, stint_strdup("segment-0"), 0, constraint);
			parent = (uint32_t)tree->out->count - 1;
			tree->out->parts[parent].inner = true;
			tree->out->parts[parent].needs = STINT_ALL;
			append(tree, parent, stint_strdup("leader"), 1);
			append(tree, parent, stint_strdup("segment-0-workers"), away ? 0 : (uint32_t)length);
		} else {
			append_segment(tree, 0, stint_format("segment-%d", i), away ? 0 : length, constraint);
		}
		left -= length;
	}
}

bool grouping_roles_parts(const struct stint_grouping *grouping, struct stint_subgroups *out, struct stint_error **err)
{
	stint_auto_error *problem = NULL;
	const struct stint_roles *roles = grouping->roles->roles;
	const int32_t size = size_of(grouping, &problem);
	if (problem)
		return stint_error_move(err, &problem);
	const size_t pods = is_set(grouping->roles) ? (size_t)roles->size : (size_t)roles->workers;
	const size_t room = (size ? (pods + (size_t)size - 1) / (size_t)size : 0) + 4;
	subgroups_root(out, &grouping->constraint);
	out->parts = stint_realloc(out->parts, (room + 1) * sizeof(*out->parts));
	out->names = stint_alloc((room + 1) * sizeof(*out->names));
	struct tree tree = {.out = out};
	if (is_set(grouping->roles))
		append_set(&tree, grouping, size);
	else
		append_pytorch(&tree, grouping, size);
	return true;
}
