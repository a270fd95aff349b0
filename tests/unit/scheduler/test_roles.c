/* Jobs of several roles (Kubeflow's) and LeaderWorkerSets: which gangs their pods make, and that these start as such. */
#include "cluster.h"

#include <stint/grouping.h>

#include <time.h>

#define KUBEFLOW "training.kubeflow.org/"
#define LEADER_SET "leaderworkerset.sigs.k8s.io/"
#define SEGMENT "kai.scheduler/segment-"
#define OWNED(api, kind, name, uid)                                                                                   \
	"\"ownerReferences\":[{\"apiVersion\":\"" api "\",\"kind\":\"" kind "\",\"name\":\"" name "\",\"uid\":\"" uid \
	"\",\"controller\":true}]"
#define LWS_API "leaderworkerset.x-k8s.io/v1"
#define ROLES(kind, roles) "\"" kind "ReplicaSpecs\":{" roles "}"
#define ROLE(name, count) "\"" name "\":{\"replicas\":" count ",\"template\":{}}"
#define SIZED(name, count, size)                                                                                             \
	"\"" name "\":{\"replicas\":" count ",\"template\":{\"metadata\":{\"annotations\":{\"" SEGMENT "size\":\"" size "\"" \
	",\"kai.scheduler/topology\":\"fabric\",\"" SEGMENT "topology-required-placement\":\"rack\"}}}}"

static void put_owner(struct cluster *c, const char *api, const char *kind, const char *annotations, const char *spec)
{
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"big\",\"uid\":\"o1\",\"annotations\":{%s}},\"spec\":{%s}}",
		annotations, spec);
	cluster_put(c, STINT_KIND_OWNER, api, kind, json);
}

/* Of a job of Kubeflow's. */
static void put_replica(struct cluster *c, const char *kind, const char *role, int index)
{
	stint_autofree char *name = stint_format("%s-%d", role, index);
	stint_autofree char *metadata =
		stint_format("\"ownerReferences\":[{\"apiVersion\":\"kubeflow.org/%s\",\"kind\":\"%s\",\"name\":\"big\",\"uid\":\"o1\"}],"
			     "\"labels\":{\"" KUBEFLOW "replica-type\":\"%s\",\"" KUBEFLOW "replica-index\":\"%d\"}",
			strcmp(kind, "MPIJob") == 0 ? "v2beta1" : "v1", kind, role, index);
	cluster_pod(c, name, metadata, "GPU", "");
}

/* Of a LeaderWorkerSet as its controller makes them: workers belong to a StatefulSet of their leader, a pod. 0: the leader. */
static void put_member(struct cluster *c, int group, int index)
{
	stint_autofree char *name = stint_format("g%d-%d", group, index);
	stint_autofree char *set = index ? stint_format("{\"metadata\":{\"namespace\":\"default\",\"name\":\"big-%d\",\"uid\":\"s%d\",%s}}",
						   group, group + 1, OWNED("v1", "Pod", "big-0", "p-leader"))
					 : stint_strdup("{\"metadata\":{\"namespace\":\"default\",\"name\":\"big\",\"uid\":\"s0\"," OWNED(
						   LWS_API, "LeaderWorkerSet", "big", "o1") "}}");
	cluster_put(c, STINT_KIND_OWNER, "apps/v1", "StatefulSet", set);
	stint_autofree char *metadata =
		stint_format("\"ownerReferences\":[{\"apiVersion\":\"apps/"
			     "v1\",\"kind\":\"StatefulSet\",\"name\":\"big\",\"uid\":\"s%d\"}],\"labels\":{\"" LEADER_SET
			     "name\":\"big\",\"" LEADER_SET "group-index\":\"%d\",\"" LEADER_SET "worker-index\":\"%d\"}",
			index ? group + 1 : 0, group, index);
	cluster_pod(c, name, metadata, "GPU", "");
}

/* ---- the tree ---------------------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *what, *kind, *annotations, *spec;
	const char *tree; /* "parent/name:needs[@level]" of each part but the root; "": one set of pods */
	int32_t minimum;
	const char *problem;
} trees[] = {
	{"a PyTorchJob needs all its pods", "PyTorchJob", "", ROLES("pytorch", ROLE("Master", "1") "," ROLE("Worker", "3")),
		"/master:1 /worker:3", 4, NULL},
	{"without replicas a role has one pod", "PyTorchJob", "", ROLES("pytorch", "\"Master\":{},\"Worker\":{\"template\":{}}"),
		"/master:1 /worker:1", 2, NULL},
	{"one without a master has workers alone", "PyTorchJob", "", ROLES("pytorch", ROLE("Worker", "3")), "/worker:3", 3, NULL},
	{"one without workers has a master alone", "PyTorchJob", "", ROLES("pytorch", ROLE("Master", "1")), "/master:1", 1, NULL},
	{"an elastic one needs its minimum", "PyTorchJob", "",
		ROLES("pytorch", ROLE("Master", "1") "," ROLE("Worker", "5")) ",\"elasticPolicy\":{\"minReplicas\":3}",
		"/master:1 /worker:2", 3, NULL},
	{"minAvailable comes before the elastic minimum", "PyTorchJob", "",
		ROLES("pytorch", ROLE("Master", "1") "," ROLE("Worker", "5")) ",\"elasticPolicy\":{\"minReplicas\":3},"
									      "\"runPolicy\":{\"schedulingPolicy\":{\"minAvailable\":2}}",
		"/master:1 /worker:1", 2, NULL},
	{"a minimum below the masters leaves the workers free", "PyTorchJob", "",
		ROLES("pytorch", ROLE("Master", "2") "," ROLE("Worker", "5")) ",\"runPolicy\":{\"schedulingPolicy\":{\"minAvailable\":1}}",
		"/master:2 /worker:0", 1, NULL},
	{"an annotation of the job says the minimum as of a Job", "PyTorchJob", "\"kai.scheduler/batch-min-member\":\"2\"",
		ROLES("pytorch", ROLE("Master", "1") "," ROLE("Worker", "5")), "/master:1 /worker:1", 2, NULL},
	{"segments are of workers, by the annotation of their template", "PyTorchJob", "",
		ROLES("pytorch", ROLE("Master", "1") "," SIZED("Worker", "5", "2")),
		"/master:1 /worker:all worker/worker-0:2@rack worker/worker-1:2@rack worker/worker-2:1@rack", 6, NULL},
	{"the job's own annotation comes first", "PyTorchJob", "\"" SEGMENT "size\":\"3\"",
		ROLES("pytorch", ROLE("Master", "1") "," SIZED("Worker", "4", "2")),
		"/master:1 /worker:all worker/worker-0:3@rack worker/worker-1:1@rack", 5, NULL},
	{"segments behind the minimum of an elastic job need none", "PyTorchJob", "",
		ROLES("pytorch", ROLE("Master", "1") "," SIZED("Worker", "6", "2")) ",\"elasticPolicy\":{\"minReplicas\":4}",
		"/master:1 /worker:all worker/worker-0:2@rack worker/worker-1:2@rack worker/worker-2:0@rack", 4, NULL},
	{"a segment of nothing", "PyTorchJob", "\"" SEGMENT "size\":\"0\"", ROLES("pytorch", ROLE("Worker", "2")), NULL, 2,
		"\"0\" is no size"},
	{"too many segments", "PyTorchJob", "\"" SEGMENT "size\":\"1\"", ROLES("pytorch", ROLE("Worker", "10001")), NULL, 10001,
		"more than 10000 segments"},
	{"a TFJob is one set of all its roles", "TFJob", "", ROLES("tf", ROLE("Chief", "1") "," ROLE("PS", "2") "," ROLE("Worker", "3")),
		"", 6, NULL},
	{"an XGBoostJob, too", "XGBoostJob", "", ROLES("xgb", ROLE("Master", "1") "," ROLE("Worker", "3")), "", 4, NULL},
	{"a JAXJob, too, and segments are not for it", "JAXJob", "", ROLES("jax", SIZED("Worker", "3", "2")), "", 3, NULL},
	{"an MPIJob has its launcher among them", "MPIJob", "", ROLES("mpi", ROLE("Launcher", "1") "," ROLE("Worker", "3")), "", 4, NULL},
	{"more pods than a number holds", "TFJob", "", ROLES("tf", ROLE("PS", "2147483647") "," ROLE("Worker", "2147483647")), "",
		2147483647, NULL},
	{"what has no roles is one by one", "PyTorchJob", "", "\"runPolicy\":{\"schedulingPolicy\":{\"minAvailable\":4}}", "", 1, NULL},
	{"words of another form are not ours", "PyTorchJob", "",
		"\"pytorchReplicaSpecs\":7,\"runPolicy\":[],\"elasticPolicy\":\"x\",\"startupPolicy\":{},\"leaderWorkerTemplate\":null", "",
		1, NULL},
	{"nor are numbers that count no pods", "PyTorchJob", "",
		ROLES("pytorch", ROLE("Master", "1.5") "," ROLE("Worker", "99999999999")) ",\"elasticPolicy\":{\"minReplicas\":1e99},"
											  "\"runPolicy\":{\"schedulingPolicy\":"
											  "{\"minAvailable\":-99999999999999999999}}",
		"/master:1 /worker:1", 2, NULL},
	{"a group of a LeaderWorkerSet needs its leader and workers", "LeaderWorkerSet", "", "\"leaderWorkerTemplate\":{\"size\":4}",
		"/leader:1 /workers:3", 4, NULL},
	{"a leader may be alone", "LeaderWorkerSet", "", "\"leaderWorkerTemplate\":{}", "/leader:1", 1, NULL},
	{"its spec may ask for segments", "LeaderWorkerSet", "",
		"\"leaderWorkerTemplate\":{\"size\":8,\"subGroupPolicy\":{\"subGroupSize\":4}}",
		"/segment-0:all segment-0/leader:1 segment-0/segment-0-workers:3 /segment-1:4", 8, NULL},
	{"a leader that is one too many is in the first", "LeaderWorkerSet", "",
		"\"leaderWorkerTemplate\":{\"size\":9,\"subGroupPolicy\":{\"subGroupSize\":4}}",
		"/segment-0:all segment-0/leader:1 segment-0/segment-0-workers:4 /segment-1:4", 9, NULL},
	{"or apart from them", "LeaderWorkerSet", "",
		"\"leaderWorkerTemplate\":{\"size\":9,\"subGroupPolicy\":{\"subGroupSize\":4,\"subGroupPolicyType\":\"LeaderExcluded\"}}",
		"/leader:1 /segment-0:4 /segment-1:4", 9, NULL},
	{"its spec comes before its annotation", "LeaderWorkerSet", "\"" SEGMENT "size\":\"3\"",
		"\"leaderWorkerTemplate\":{\"size\":4,\"subGroupPolicy\":{\"subGroupSize\":2}}",
		"/segment-0:all segment-0/leader:1 segment-0/segment-0-workers:1 /segment-1:2", 4, NULL},
	{"its annotation before that of its workers", "LeaderWorkerSet", "\"" SEGMENT "size\":\"3\"",
		"\"leaderWorkerTemplate\":{\"size\":4,\"workerTemplate\":{\"metadata\":{\"annotations\":{\"" SEGMENT "size\":\"2\"}}}}",
		"/segment-0:all segment-0/leader:1 segment-0/segment-0-workers:2 /segment-1:1", 4, NULL},
	{"that of its workers is enough", "LeaderWorkerSet", "",
		"\"leaderWorkerTemplate\":{\"size\":4,\"workerTemplate\":{\"metadata\":{\"annotations\":{\"" SEGMENT "size\":\"2\"}}}}",
		"/segment-0:all segment-0/leader:1 segment-0/segment-0-workers:1 /segment-1:2", 4, NULL},
	{"segments of one pod", "LeaderWorkerSet", "\"" SEGMENT "size\":\"1\"", "\"leaderWorkerTemplate\":{\"size\":4}", NULL, 4,
		"\"1\" is no size of a segment: give a whole number from 2 to 4"},
	{"segments larger than the group", "LeaderWorkerSet", "",
		"\"leaderWorkerTemplate\":{\"size\":4,\"subGroupPolicy\":{\"subGroupSize\":5}}", NULL, 4, "\"5\" is no size of a segment"},
	{"workers that cannot be divided", "LeaderWorkerSet", "",
		"\"leaderWorkerTemplate\":{\"size\":4,\"subGroupPolicy\":{\"subGroupSize\":2,\"subGroupPolicyType\":\"LeaderExcluded\"}}",
		NULL, 4, "cannot be cut in segments of 2"},
};

static char *tree_of(const struct stint_subgroups *subgroups)
{
	struct stint_buf out = {0};
	stint_buf_puts(&out, "");
	for (size_t i = 1; i < subgroups->count; i++) {
		const struct stint_part_spec *part = &subgroups->parts[i];
		const char *level = part->constraint.required_level;
		stint_buf_printf(&out, "%s%s/%s:", i > 1 ? " " : "", subgroups->parts[part->parent].name, part->name);
		if (part->needs == STINT_ALL)
			stint_buf_puts(&out, "all");
		else
			stint_buf_printf(&out, "%u", part->needs);
		stint_buf_printf(&out, "%s%s", level ? "@" : "", level ? level : "");
	}
	return stint_buf_steal(&out);
}

static void the_gang_is_what_its_object_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(trees); i++) {
		void *own = NULL;
		cluster_setup(&own);
		struct cluster *c = own;
		const bool set = strcmp(trees[i].kind, "LeaderWorkerSet") == 0, mpi = strcmp(trees[i].kind, "MPIJob") == 0;
		put_owner(c,
			set	      ? LWS_API
				: mpi ? "kubeflow.org/v2beta1"
				      : "kubeflow.org/v1",
			trees[i].kind, trees[i].annotations, trees[i].spec);
		if (set)
			put_member(c, 0, 1);
		else
			put_replica(c, trees[i].kind, "worker", 0);
		struct stint_grouping grouping;
		STINT_CLEANUP(stint_subgroups_clear) struct stint_subgroups parts = {0};
		stint_auto_error *err = NULL;
		stint_group_pod(stint_mirror_catalog(c->mirror), cluster_find(c, set ? "g0-1" : "worker-0")->pod, &grouping);
		const bool done = stint_grouping_parts(&grouping, &parts, &err) &&
			(!parts.count || stint_parts_check(parts.parts, parts.count, &err));
		if (done != !trees[i].problem || (err && !strstr(err->message, trees[i].problem)))
			fail_msg("%s: %s", trees[i].what, err ? err->message : "no error");
		stint_autofree char *tree = tree_of(&parts);
		if (trees[i].tree && strcmp(tree, trees[i].tree) != 0)
			fail_msg("%s: %s instead of %s", trees[i].what, tree, trees[i].tree);
		if (grouping.minimum != trees[i].minimum)
			fail_msg("%s: %d instead of %d", trees[i].what, grouping.minimum, trees[i].minimum);
		stint_grouping_clear(&grouping);
		cluster_teardown(&own);
	}
}

static void each_pod_is_in_the_part_of_its_index(void **state)
{
	(void)state;
	static const struct {
		const char *spec;
		int index;
		const char *part;
	} rows[] = {
		{"\"size\":9", 0, "leader"},
		{"\"size\":9", 8, "workers"},
		{"\"size\":8,\"subGroupPolicy\":{\"subGroupSize\":4}", 0, "leader"},
		{"\"size\":8,\"subGroupPolicy\":{\"subGroupSize\":4}", 3, "segment-0-workers"},
		{"\"size\":8,\"subGroupPolicy\":{\"subGroupSize\":4}", 4, "segment-1"},
		{"\"size\":9,\"subGroupPolicy\":{\"subGroupSize\":4}", 4, "segment-0-workers"},
		{"\"size\":9,\"subGroupPolicy\":{\"subGroupSize\":4}", 5, "segment-1"},
		{"\"size\":9,\"subGroupPolicy\":{\"subGroupSize\":4,\"subGroupPolicyType\":\"LeaderExcluded\"}", 0, "leader"},
		{"\"size\":9,\"subGroupPolicy\":{\"subGroupSize\":4,\"subGroupPolicyType\":\"LeaderExcluded\"}", 4, "segment-0"},
		{"\"size\":9,\"subGroupPolicy\":{\"subGroupSize\":4,\"subGroupPolicyType\":\"LeaderExcluded\"}", 5, "segment-1"},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		void *own = NULL;
		cluster_setup(&own);
		struct cluster *c = own;
		stint_autofree char *spec = stint_format("\"leaderWorkerTemplate\":{%s}", rows[i].spec);
		stint_autofree char *name = stint_format("g0-%d", rows[i].index);
		put_owner(c, LWS_API, "LeaderWorkerSet", "", spec);
		put_member(c, 0, rows[i].index);
		struct stint_grouping grouping;
		stint_group_pod(stint_mirror_catalog(c->mirror), cluster_find(c, name)->pod, &grouping);
		stint_autofree char *part = stint_grouping_part(&grouping, cluster_find(c, name)->pod);
		if (strcmp(part, rows[i].part) != 0)
			fail_msg("%s, %d: %s instead of %s", rows[i].spec, rows[i].index, part, rows[i].part);
		stint_grouping_clear(&grouping);
		cluster_teardown(&own);
	}
}

/* ---- in the cluster ------------------------------------------------------------------------------------------------------------------------ */

static void see(struct cluster *c)
{
	stint_mirror_see_owners(c->mirror, "kubeflow.org/v1", "PyTorchJob", true);
	stint_mirror_see_owners(c->mirror, "kubeflow.org/v2beta1", "MPIJob", true);
	stint_mirror_see_owners(c->mirror, LWS_API, "LeaderWorkerSet", true);
}

static void a_gang_starts_when_all_of_it_is_there(void **state)
{
	struct cluster *c = *state;
	see(c);
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_owner(c, "kubeflow.org/v1", "PyTorchJob", "", ROLES("pytorch", ROLE("Master", "1") "," ROLE("Worker", "2")));
	put_replica(c, "PyTorchJob", "worker", 0);
	put_replica(c, "PyTorchJob", "worker", 1);
	assert_int_equal(cluster_cycle(c), 0);
	put_replica(c, "PyTorchJob", "master", 0);
	assert_int_equal(cluster_cycle(c), 3);
}

static void a_pod_waits_for_its_job_where_such_jobs_are_seen_and_not_elsewhere(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	see(c);
	put_replica(c, "PyTorchJob", "worker", 0);
	assert_int_equal(cluster_cycle(c), 0);
	assert_int_equal(cluster_find(c, "worker-0")->hold, STINT_HOLD_OWNER);
	assert_int_equal(c->missing_owners, 1);
	stint_mirror_see_owners(c->mirror, "kubeflow.org/v1", "PyTorchJob", false);
	assert_int_equal(cluster_cycle(c), 1);
}

static void each_group_of_a_set_is_a_gang(void **state)
{
	struct cluster *c = *state;
	see(c);
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_owner(c, LWS_API, "LeaderWorkerSet", "", "\"replicas\":2,\"leaderWorkerTemplate\":{\"size\":2}");
	put_member(c, 0, 0);
	put_member(c, 1, 0);
	put_member(c, 1, 1);
	assert_int_equal(cluster_cycle(c), 2);
	assert_ptr_not_equal(cluster_find(c, "g0-0")->group, cluster_find(c, "g1-0")->group);
	assert_ptr_equal(cluster_find(c, "g1-0")->group, cluster_find(c, "g1-1")->group);
	assert_string_equal(cluster_find(c, "g1-1")->group->workload_kind, "LeaderWorkerSet");
	assert_string_equal(cluster_find(c, "g1-1")->group->workload_name, "big");
	put_member(c, 0, 1);
	assert_int_equal(cluster_cycle(c), 2);
}

/* Their owner references lead to the leader's pod alone, so that nothing tells them to wait. */
static void workers_that_come_before_their_set_join_it_later(void **state)
{
	struct cluster *c = *state;
	see(c);
	cluster_queue(c, "default", 8, -1);
	put_member(c, 0, 1);
	assert_int_equal(cluster_cycle(c), 0);
	put_owner(c, LWS_API, "LeaderWorkerSet", "", "\"leaderWorkerTemplate\":{\"size\":2}");
	cluster_node(c, "n1", 8, true);
	assert_int_equal(cluster_cycle(c), 0);
	put_member(c, 0, 0);
	assert_int_equal(cluster_cycle(c), 2);
}

/* What it takes of the processor to tell of many sets beside that many pods. */
static clock_t time_of_sets(int pods)
{
	enum { SETS = 300 };
	void *own = NULL;
	cluster_setup(&own);
	struct cluster *c = own;
	see(c);
	for (int i = 0; i < pods; i++) {
		stint_autofree char *name = stint_format("p%d", i);
		cluster_pod(c, name, "\"labels\":{\"" LEADER_SET "name\":\"other\"}", "GPU", "");
	}
	stint_mirror_settle(c->mirror, 1000);
	const clock_t began = clock();
	for (int i = 0; i < SETS; i++) {
		stint_autofree char *set = stint_format("{\"metadata\":{\"namespace\":\"default\",\"name\":\"set%d\",\"uid\":\"u%d\"},"
							"\"spec\":{\"leaderWorkerTemplate\":{\"size\":2}}}",
			i, i);
		cluster_put(c, STINT_KIND_OWNER, LWS_API, "LeaderWorkerSet", set);
	}
	const clock_t took = clock() - began;
	cluster_teardown(&own);
	return took;
}

/* They come behind the pods at a start. A way through all pods for each would cost some hundred times as much. */
static void a_set_costs_the_same_beside_many_pods(void **state)
{
	(void)state;
	clock_t beside = time_of_sets(10000), alone = time_of_sets(0);
	for (int tries = 0; tries < 4 && beside > 20 * alone; tries++) {
		const clock_t again = time_of_sets(10000);
		beside = again < beside ? again : beside;
	}
	if (beside > 20 * alone)
		fail_msg("%ld instead of %ld clocks", (long)beside, (long)alone);
}

static void a_set_that_comes_back_has_its_groups_again(void **state)
{
	struct cluster *c = *state;
	see(c);
	cluster_queue(c, "default", 8, -1);
	put_owner(c, LWS_API, "LeaderWorkerSet", "", "\"leaderWorkerTemplate\":{\"size\":2}");
	put_member(c, 0, 0);
	put_member(c, 0, 1);
	cluster_cycle(c);
	cluster_remove(c, STINT_KIND_OWNER, "{\"metadata\":{\"namespace\":\"default\",\"name\":\"big\",\"uid\":\"o1\"}}");
	cluster_node(c, "n1", 8, true);
	assert_int_equal(cluster_cycle(c), 0);
	put_owner(c, LWS_API, "LeaderWorkerSet", "", "\"leaderWorkerTemplate\":{\"size\":2}");
	assert_int_equal(cluster_cycle(c), 2);
}

static void pods_of_a_set_that_is_deleted_are_not_placed(void **state)
{
	struct cluster *c = *state;
	see(c);
	cluster_queue(c, "default", 8, -1);
	put_owner(c, LWS_API, "LeaderWorkerSet", "", "\"leaderWorkerTemplate\":{\"size\":2}");
	put_member(c, 0, 0);
	put_member(c, 0, 1);
	assert_int_equal(cluster_cycle(c), 0);
	cluster_remove(c, STINT_KIND_OWNER, "{\"metadata\":{\"namespace\":\"default\",\"name\":\"big\",\"uid\":\"o1\"}}");
	cluster_node(c, "n1", 8, true);
	assert_int_equal(cluster_cycle(c), 0);
	assert_int_equal(cluster_find(c, "g0-0")->hold, STINT_HOLD_OWNER);
}

static void a_leader_that_must_be_ready_first_does_not_wait_for_its_workers(void **state)
{
	struct cluster *c = *state;
	see(c);
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_owner(c, LWS_API, "LeaderWorkerSet", "", "\"startupPolicy\":\"LeaderReady\",\"leaderWorkerTemplate\":{\"size\":3}");
	put_member(c, 0, 0);
	assert_int_equal(cluster_cycle(c), 1);
	put_member(c, 0, 1);
	assert_int_equal(cluster_cycle(c), 0); /* from the first of them on all are needed */
	put_member(c, 0, 2);
	assert_int_equal(cluster_cycle(c), 2);
}

static void a_set_that_changes_who_comes_first_counts_the_workers_that_are_there(void **state)
{
	struct cluster *c = *state;
	static const char size[] = "\"leaderWorkerTemplate\":{\"size\":3}";
	see(c);
	cluster_queue(c, "default", 8, -1);
	put_owner(c, LWS_API, "LeaderWorkerSet", "", size);
	for (int index = 0; index < 3; index++)
		put_member(c, 0, index);
	cluster_cycle(c);
	stint_autofree char *leader_first = stint_format("\"startupPolicy\":\"LeaderReady\",%s", size);
	put_owner(c, LWS_API, "LeaderWorkerSet", "", leader_first);
	cluster_cycle(c);
	put_member(c, 0, 0); /* news of one that does not tell of the others */
	cluster_cycle(c);
	assert_int_equal(cluster_find(c, "g0-0")->group->minimum, 3);
	for (int index = 1; index < 3; index++) {
		stint_autofree char *name = stint_format("g0-%d", index);
		stint_autofree char *worker = cluster_pod_json(name, "", "GPU", "");
		cluster_remove(c, STINT_KIND_POD, worker);
	}
	cluster_cycle(c);
	assert_int_equal(cluster_find(c, "g0-0")->group->minimum, 1);
	put_owner(c, LWS_API, "LeaderWorkerSet", "", size);
	cluster_cycle(c);
	assert_int_equal(cluster_find(c, "g0-0")->group->minimum, 3);
}

static void workers_do_not_wait_for_a_launcher_that_waits_for_them(void **state)
{
	struct cluster *c = *state;
	see(c);
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_owner(c, "kubeflow.org/v2beta1", "MPIJob", "",
		ROLES("mpi", ROLE("Launcher", "1") "," ROLE("Worker", "2")) ",\"launcherCreationPolicy\":\"WaitForWorkersReady\"");
	put_replica(c, "MPIJob", "worker", 0);
	assert_int_equal(cluster_cycle(c), 0);
	put_replica(c, "MPIJob", "worker", 1);
	assert_int_equal(cluster_cycle(c), 2);
	assert_int_equal(cluster_find(c, "worker-0")->group->minimum, 2);
	put_replica(c, "MPIJob", "launcher", 0);
	put_replica(c, "MPIJob", "worker", 0); /* news of one that does not wait for the launcher changes nothing of that */
	cluster_cycle(c);
	assert_int_equal(cluster_find(c, "worker-0")->group->minimum, 3);
	stint_autofree char *launcher = cluster_pod_json("launcher-0", "", "GPU", "");
	cluster_remove(c, STINT_KIND_POD, launcher);
	cluster_cycle(c);
	assert_int_equal(cluster_find(c, "worker-0")->group->minimum, 2);
}

static void a_job_that_changes_its_replicas_changes_its_gang(void **state)
{
	struct cluster *c = *state;
	see(c);
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_owner(c, "kubeflow.org/v1", "PyTorchJob", "", ROLES("pytorch", ROLE("Worker", "3")));
	put_replica(c, "PyTorchJob", "worker", 0);
	put_replica(c, "PyTorchJob", "worker", 1);
	assert_int_equal(cluster_cycle(c), 0);
	put_owner(c, "kubeflow.org/v1", "PyTorchJob", "", ROLES("pytorch", ROLE("Worker", "2")));
	assert_int_equal(cluster_cycle(c), 2);
}

static void segments_that_cannot_be_made_are_said(void **state)
{
	struct cluster *c = *state;
	see(c);
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_owner(c, LWS_API, "LeaderWorkerSet", "", "\"leaderWorkerTemplate\":{\"size\":2,\"subGroupPolicy\":{\"subGroupSize\":7}}");
	put_member(c, 0, 0);
	put_member(c, 0, 1);
	assert_int_equal(cluster_cycle(c), 0);
	struct stint_explanation said;
	stint_explain(c->engine, cluster_find(c, "g0-0"), &said);
	assert_string_equal(said.word, "SegmentsInvalid");
	assert_non_null(strstr(said.sentence, "\"7\" is no size of a segment"));
	assert_non_null(strstr(said.sentence, "subGroupPolicy")); /* there is no annotation to take away */
	stint_explanation_clear(&said);
}

static void a_worker_beyond_the_replicas_is_told_of_those(void **state)
{
	struct cluster *c = *state;
	see(c);
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	put_owner(c, "kubeflow.org/v1", "PyTorchJob", "\"" SEGMENT "size\":\"2\"", ROLES("pytorch", ROLE("Worker", "2")));
	put_replica(c, "PyTorchJob", "worker", 2);
	assert_int_equal(cluster_cycle(c), 0);
	struct stint_explanation said;
	stint_explain(c->engine, cluster_find(c, "worker-2"), &said);
	assert_string_equal(said.word, "SubGroupDoesNotExist");
	assert_non_null(strstr(said.sentence, "sub-group \"worker-1\""));
	assert_non_null(strstr(said.sentence, "replicas"));
	stint_explanation_clear(&said);
}

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gang_is_what_its_object_says),
		cmocka_unit_test(each_pod_is_in_the_part_of_its_index),
		IN_CLUSTER(a_gang_starts_when_all_of_it_is_there),
		IN_CLUSTER(a_pod_waits_for_its_job_where_such_jobs_are_seen_and_not_elsewhere),
		IN_CLUSTER(each_group_of_a_set_is_a_gang),
		IN_CLUSTER(workers_that_come_before_their_set_join_it_later),
		cmocka_unit_test(a_set_costs_the_same_beside_many_pods),
		IN_CLUSTER(a_set_that_comes_back_has_its_groups_again),
		IN_CLUSTER(pods_of_a_set_that_is_deleted_are_not_placed),
		IN_CLUSTER(a_leader_that_must_be_ready_first_does_not_wait_for_its_workers),
		IN_CLUSTER(a_set_that_changes_who_comes_first_counts_the_workers_that_are_there),
		IN_CLUSTER(workers_do_not_wait_for_a_launcher_that_waits_for_them),
		IN_CLUSTER(a_job_that_changes_its_replicas_changes_its_gang),
		IN_CLUSTER(segments_that_cannot_be_made_are_said),
		IN_CLUSTER(a_worker_beyond_the_replicas_is_told_of_those),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
