/*
 * The decoder of what jobs of several roles say of their pods: Kubeflow's (spec.pytorchReplicaSpecs and its siblings, spec.runPolicy,
 * spec.elasticPolicy) and LeaderWorkerSets (spec.leaderWorkerTemplate). A custom resource may use these words for something else: what has
 * another form than theirs is skipped.
 */
#include "core/model/private.h"

#include <stint/model_roles.h>

static const char *const replica_specs[] = {
	"pytorchReplicaSpecs", "tfReplicaSpecs", "xgbReplicaSpecs", "jaxReplicaSpecs", "mpiReplicaSpecs"};

/* What has no number of replicas has one: the operators' default. */
enum { DEFAULT_REPLICAS = 1, DEFAULT_SIZE = 1 };

static bool is_replica_specs(struct stint_slice key)
{
	for (size_t i = 0; i < STINT_COUNT(replica_specs); i++) {
		if (stint_slice_is(key, replica_specs[i]))
			return true;
	}
	return false;
}

bool is_of_roles(struct stint_slice key)
{
	return is_replica_specs(key) || KEY_IS(key, "runPolicy") || KEY_IS(key, "elasticPolicy") || KEY_IS(key, "launcherCreationPolicy") ||
		KEY_IS(key, "leaderWorkerTemplate") || KEY_IS(key, "startupPolicy");
}

static struct stint_roles *roles_of(struct stint_owner *owner)
{
	if (!owner->roles) {
		owner->roles = stint_alloc(sizeof(*owner->roles));
		owner->roles->min_available = owner->roles->min_elastic = owner->roles->subgroup_size = -1;
	}
	return owner->roles;
}

/* False also where there is no object, which is skipped: look at error. */
static bool enter_if_object(struct decoder *d)
{
	return stint_cursor_peek(d->c) == STINT_JSON_OBJECT ? enter_object(d) : (stint_cursor_skip(d->c), false);
}

static bool read_number(struct decoder *d, int32_t *out)
{
	struct stint_slice number;
	int64_t value;
	if (stint_cursor_peek(d->c) != STINT_JSON_NUMBER)
		return stint_cursor_skip(d->c);
	if (!stint_cursor_number(d->c, &number))
		return false;
	struct stint_cursor alone = stint_cursor_over(number.data, number.length);
	if (stint_cursor_int(&alone, &value) && value >= INT32_MIN && value <= INT32_MAX)
		*out = (int32_t)value;
	return true;
}

static bool read_word(struct decoder *d, const char *word, bool *out)
{
	struct stint_slice text;
	if (stint_cursor_peek(d->c) != STINT_JSON_STRING)
		return stint_cursor_skip(d->c);
	if (!read_value(d, &text))
		return false;
	*out = stint_slice_is(text, word);
	return true;
}

/* {key: NUMBER} */
static bool read_number_in(struct decoder *d, const char *name, int32_t *out)
{
	struct stint_slice key;
	const bool inside = enter_if_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (stint_slice_is(key, name))
			read_number(d, out);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

/* The annotations of a pod template. */
static bool read_annotations_of(struct decoder *d, struct stint_owner *owner)
{
	struct stint_slice key;
	const bool inside = enter_if_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "metadata"))
			read_template_metadata(d, owner);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_role(struct decoder *d, struct stint_owner *owner, bool workers, int32_t *replicas)
{
	struct stint_slice key;
	*replicas = DEFAULT_REPLICAS;
	const bool inside = enter_if_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "replicas"))
			read_number(d, replicas);
		else if (KEY_IS(key, "template") && workers)
			read_annotations_of(d, owner);
		else
			stint_cursor_skip(d->c);
	}
	if (*replicas < 0)
		*replicas = 0;
	return !d->c->error;
}

static bool read_replica_specs(struct decoder *d, struct stint_owner *owner)
{
	struct stint_roles *roles = roles_of(owner);
	struct stint_slice key;
	roles->total = roles->masters = roles->workers = roles->launchers = 0;
	const bool inside = enter_if_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		const bool workers = KEY_IS(key, "Worker");
		int32_t *named = workers	  ? &roles->workers
			: KEY_IS(key, "Master")	  ? &roles->masters
			: KEY_IS(key, "Launcher") ? &roles->launchers
						  : NULL;
		int32_t replicas;
		read_role(d, owner, workers, &replicas);
		if (named)
			*named = replicas;
		roles->total = replicas > INT32_MAX - roles->total ? INT32_MAX : roles->total + replicas;
	}
	return !d->c->error;
}

static bool read_run_policy(struct decoder *d, struct stint_owner *owner)
{
	struct stint_slice key;
	const bool inside = enter_if_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "schedulingPolicy"))
			read_number_in(d, "minAvailable", &roles_of(owner)->min_available);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_subgroup_policy(struct decoder *d, struct stint_roles *roles)
{
	struct stint_slice key;
	const bool inside = enter_if_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "subGroupSize"))
			read_number(d, &roles->subgroup_size);
		else if (KEY_IS(key, "subGroupPolicyType"))
			read_word(d, "LeaderExcluded", &roles->leader_apart);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_leader_worker(struct decoder *d, struct stint_owner *owner)
{
	struct stint_slice key;
	if (stint_cursor_peek(d->c) != STINT_JSON_OBJECT)
		return stint_cursor_skip(d->c);
	struct stint_roles *roles = roles_of(owner);
	roles->size = DEFAULT_SIZE;
	const bool inside = enter_if_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "size"))
			read_number(d, &roles->size);
		else if (KEY_IS(key, "subGroupPolicy"))
			read_subgroup_policy(d, roles);
		else if (KEY_IS(key, "workerTemplate"))
			read_annotations_of(d, owner);
		else
			stint_cursor_skip(d->c);
	}
	if (roles->size < 1)
		roles->size = DEFAULT_SIZE;
	return !d->c->error;
}

bool read_roles(struct decoder *d, struct stint_owner *owner, struct stint_slice key)
{
	if (is_replica_specs(key))
		return read_replica_specs(d, owner);
	if (KEY_IS(key, "leaderWorkerTemplate"))
		return read_leader_worker(d, owner);
	if (KEY_IS(key, "runPolicy"))
		return read_run_policy(d, owner);
	if (KEY_IS(key, "elasticPolicy"))
		return stint_cursor_peek(d->c) == STINT_JSON_OBJECT ? read_number_in(d, "minReplicas", &roles_of(owner)->min_elastic)
								    : stint_cursor_skip(d->c);
	const bool is_text = stint_cursor_peek(d->c) == STINT_JSON_STRING;
	if (is_text && KEY_IS(key, "launcherCreationPolicy"))
		return read_word(d, "WaitForWorkersReady", &roles_of(owner)->launcher_last);
	if (is_text && KEY_IS(key, "startupPolicy"))
		return read_word(d, "LeaderReady", &roles_of(owner)->leader_first);
	return stint_cursor_skip(d->c);
}
