/* From a decision to its bind, against a server that a test plays: a member of a gang that is refused, and what befalls a pod meanwhile. */
#include <scheduler/placer.h>

#include "served.h"

enum { MEMBERS = 3 };

struct fixture {
	struct served served;
	struct stint_metrics *metrics;
	struct stint_logger logger;
	struct stint_placer *placer;
	int binds, placed, again, changed, unplaced;
	int64_t until_ms; /* of the last `again` */
	const char *refuse; /* the pod that the server does not bind */
};

static void on_request(void *user, struct stint_httpd_request *request)
{
	struct fixture *f = user;
	static const char no[] = "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\",\"message\":\"no\",\"code\":403}";
	const bool refused = f->refuse && strstr(stint_httpd_path(request), f->refuse);
	const struct stint_httpd_response answer = {refused ? 403 : 201, "application/json", NULL};
	f->binds++;
	stint_httpd_reply(request, &answer, refused ? no : "{}", refused ? sizeof(no) - 1 : 2);
}

static int64_t always(void *user)
{
	(void)user;
	return INT64_MAX;
}

static void on_placed(void *user, struct stint_mirror_pod *pod, const char *node)
{
	(void)pod;
	(void)node;
	((struct fixture *)user)->placed++;
}

static void on_again(void *user, int64_t until_ms)
{
	struct fixture *f = user;
	f->again++;
	f->until_ms = until_ms;
}

static void on_changed(void *user)
{
	((struct fixture *)user)->changed++;
}

static void on_unplaced(void *user, struct stint_mirror_pod *pod)
{
	assert_null(pod->bind);
	((struct fixture *)user)->unplaced++;
}

static void on_idle(void *user)
{
	(void)user;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	served_open(&f->served, on_request, f);
	f->metrics = stint_metrics_new();
	f->placer = stint_placer_new(&(struct stint_placer_options){.kube = f->served.kube,
		.engine = f->served.cluster->engine,
		.mirror = f->served.cluster->mirror,
		.metrics = f->metrics,
		.logger = &f->logger,
		.in_flight_max = 8,
		.write_until_ms = always,
		.placed = on_placed,
		.again = on_again,
		.unplaced = on_unplaced,
		.changed = on_changed,
		.idle = on_idle,
		.user = f});
	cluster_queue(f->served.cluster, "default", -1, -1);
	cluster_node(f->served.cluster, "node", MEMBERS, true);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	stint_placer_free(f->placer);
	stint_metrics_free(f->metrics);
	served_close(&f->served);
	free(f);
	return 0;
}

/* One cycle at that wall time, and its binds as far as they come; how many were decided. */
static size_t cycle(struct fixture *f, int64_t now_ms)
{
	const struct stint_policy policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	stint_mirror_settle(f->served.cluster->mirror, now_ms);
	const struct stint_cycle done = stint_engine_cycle(f->served.cluster->engine, &policy, now_ms);
	const size_t count = done.count;
	stint_placer_take(f->placer, done.decisions, done.count);
	for (int64_t until = stint_monotonic_ms() + DEADLINE_MS; stint_placer_pending(f->placer) && stint_monotonic_ms() < until;)
		stint_loop_step(f->served.loop, 50);
	assert_int_equal(stint_placer_pending(f->placer), 0);
	return count;
}

static bool waits(struct fixture *f, const char *name)
{
	struct stint_pod_view view;
	assert_true(stint_engine_pod_view(f->served.cluster->engine, cluster_find(f->served.cluster, name)->handle, &view));
	return view.node == STINT_NO_HANDLE;
}

/* The server refuses one member, and a pod that would take its device waits in the same queue. */
static void refuse_a_member(struct fixture *f)
{
	cluster_put(f->served.cluster, STINT_KIND_POD_GROUP, NULL, NULL,
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"gang\",\"uid\":\"g\"},\"spec\":{\"minMember\":3}}");
	for (const char *const *name = (const char *const[]){"gang-0", "gang-1", "gang-2", NULL}; *name; name++)
		cluster_pod(f->served.cluster, *name, "\"annotations\":{\"pod-group-name\":\"gang\"}", "GPU", "");
	f->refuse = "gang-1";
	assert_int_equal(cycle(f, stint_now_ms()), MEMBERS);
	assert_int_equal(f->placed, MEMBERS - 1);
	cluster_pod(f->served.cluster, "rival", "", "GPU", "");
}

static void test_a_member_that_was_refused_is_tried_first_and_its_gang_keeps_its_place(void **state)
{
	struct fixture *f = *state;
	refuse_a_member(f);
	assert_int_equal(f->again, 1);
	assert_int_equal(f->until_ms, 0); /* the next cycle is due at once */
	assert_true(waits(f, "gang-1"));
	f->refuse = NULL;
	assert_int_equal(cycle(f, stint_now_ms()), 1);
	assert_false(waits(f, "gang-1"));
	assert_true(waits(f, "rival"));
	assert_int_equal(f->placed, MEMBERS);
}

static void test_a_member_that_is_refused_again_waits_and_those_bound_stay(void **state)
{
	struct fixture *f = *state;
	refuse_a_member(f);
	const int64_t now_ms = stint_now_ms();
	assert_int_equal(cycle(f, now_ms), 1);
	assert_true(f->until_ms > now_ms);
	assert_false(waits(f, "gang-0"));
	assert_int_equal(cycle(f, now_ms), 1); /* meanwhile the device is not left idle */
	assert_false(waits(f, "rival"));
}

/* ---- a bind that waits for a volume ------------------------------------------------------------------------------------------------------- */

static void put_claim(struct fixture *f, const char *annotations, const char *volume)
{
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"data\",\"uid\":\"c1\",\"annotations\":{%s}},\"spec\":{"
		"\"storageClassName\":\"late\",\"accessModes\":[\"ReadWriteOnce\"],\"resources\":{\"requests\":{\"storage\":\"1Gi\"}}%s}}",
		annotations, volume);
	cluster_put(f->served.cluster, STINT_KIND_VOLUME_CLAIM, NULL, NULL, json);
}

static const char gang[] = "{\"metadata\":{\"namespace\":\"default\",\"name\":\"gang\",\"uid\":\"g\"},\"spec\":{\"minMember\":1}}";

/* With or without the annotation that puts it into the gang. */
static void put_patient(struct fixture *f, bool in_gang)
{
	cluster_pod(f->served.cluster, "patient", in_gang ? "\"annotations\":{\"pod-group-name\":\"gang\"}" : "",
		"\"volumes\":[{\"name\":\"v\",\"persistentVolumeClaim\":{\"claimName\":\"data\"}}]", "");
}

/* A pod has its place, and its bind waits until a volume has been made there. */
static void begin_waiting(struct fixture *f, bool in_gang)
{
	cluster_put(f->served.cluster, STINT_KIND_STORAGE_CLASS, NULL, NULL,
		"{\"metadata\":{\"name\":\"late\",\"uid\":\"s\"},\"provisioner\":\"x\",\"volumeBindingMode\":\"WaitForFirstConsumer\"}");
	cluster_put(f->served.cluster, STINT_KIND_POD_GROUP, NULL, NULL, gang);
	put_claim(f, "", "");
	put_patient(f, in_gang);
	assert_int_equal(cycle(f, stint_now_ms()), 1);
	served_turn_until(&f->served, &f->changed, 1); /* the write of the node has been answered */
	put_claim(f, "\"volume.kubernetes.io/selected-node\":\"node\"", "");
	assert_non_null(cluster_find(f->served.cluster, "patient")->bind);
}

static void expect_assumed(struct fixture *f, const void *bind)
{
	const struct stint_mirror_pod *pod = cluster_find(f->served.cluster, "patient");
	struct stint_pod_view view = {0};
	assert_int_equal(cycle(f, stint_now_ms()), 0);
	stint_placer_run(f->placer);
	assert_ptr_equal(pod->bind, bind);
	assert_true(stint_engine_pod_view(f->served.cluster->engine, pod->handle, &view));
	assert_int_equal(view.status, STINT_POD_ASSUMED);
}

static void give_volume(struct fixture *f)
{
	cluster_put(f->served.cluster, STINT_KIND_VOLUME, NULL, NULL,
		"{\"metadata\":{\"name\":\"disk\",\"uid\":\"v1\"},\"spec\":{\"storageClassName\":\"late\",\"accessModes\":["
		"\"ReadWriteOnce\"],"
		"\"capacity\":{\"storage\":\"1Gi\"},\"claimRef\":{\"namespace\":\"default\",\"name\":\"data\",\"uid\":\"c1\"}}}");
	put_claim(f, "\"pv.kubernetes.io/bind-completed\":\"yes\"", ",\"volumeName\":\"disk\"");
	stint_placer_run(f->placer);
	served_turn_until(&f->served, &f->placed, 1);
}

static void test_a_pod_whose_group_is_deleted_while_it_waits_for_its_volume_keeps_its_place(void **state)
{
	struct fixture *f = *state;
	begin_waiting(f, true);
	const void *bind = cluster_find(f->served.cluster, "patient")->bind;
	cluster_remove(f->served.cluster, STINT_KIND_POD_GROUP, gang);
	expect_assumed(f, bind);
	give_volume(f);
	assert_null(cluster_find(f->served.cluster, "patient")->bind);
}

static void test_a_pod_that_is_regrouped_while_it_waits_for_its_volume_changes_after_its_bind(void **state)
{
	struct fixture *f = *state;
	begin_waiting(f, false);
	const struct stint_mirror_pod *pod = cluster_find(f->served.cluster, "patient");
	const struct stint_mirror_group *former = pod->group;
	const void *bind = pod->bind;
	put_patient(f, true);
	expect_assumed(f, bind);
	assert_ptr_equal(pod->group, former);
	/* The claim's node is taken back: no volume could be made, and the bind is over. */
	put_claim(f, "", "");
	stint_placer_run(f->placer);
	assert_null(pod->bind);
	stint_mirror_settle(f->served.cluster->mirror, stint_now_ms());
	assert_non_null(strstr(pod->group->key, "gang"));
	assert_true(waits(f, "patient"));
}

static void test_no_second_bind_is_begun_for_a_pod_that_has_one(void **state)
{
	struct fixture *f = *state;
	begin_waiting(f, false);
	const struct stint_mirror_pod *pod = cluster_find(f->served.cluster, "patient");
	const void *bind = pod->bind;
	struct stint_pod_view view = {0};
	assert_true(stint_engine_pod_view(f->served.cluster->engine, pod->handle, &view));
	stint_placer_take(f->placer, &(struct stint_decision){.kind = STINT_DECIDE_BIND, .pod = pod->handle, .node = view.node}, 1);
	assert_ptr_equal(pod->bind, bind);
}

static void test_an_eviction_gives_up_a_bind_that_was_not_sent(void **state)
{
	struct fixture *f = *state;
	begin_waiting(f, false);
	const struct stint_mirror_pod *pod = cluster_find(f->served.cluster, "patient");
	const int requests = f->binds;
	assert_true(stint_placer_gives_up(pod));
	stint_placer_take(f->placer, &(struct stint_decision){.kind = STINT_DECIDE_EVICT, .pod = pod->handle}, 1);
	assert_null(pod->bind);
	assert_true(waits(f, "patient"));
	assert_int_equal(f->again, 1);
	assert_int_equal(f->until_ms, 0);
	assert_int_equal(f->unplaced, 1);
	assert_int_equal(f->binds, requests);
}

/* The bind has been sent when the eviction is decided, and is refused. */
static void test_whoever_evicts_is_told_of_a_bind_that_was_refused(void **state)
{
	struct fixture *f = *state;
	cluster_pod(f->served.cluster, "early", "", "GPU", "");
	f->refuse = "early";
	const struct stint_policy policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	stint_mirror_settle(f->served.cluster->mirror, stint_now_ms());
	const struct stint_cycle done = stint_engine_cycle(f->served.cluster->engine, &policy, stint_now_ms());
	stint_placer_take(f->placer, done.decisions, done.count);
	const struct stint_mirror_pod *pod = cluster_find(f->served.cluster, "early");
	assert_false(stint_placer_gives_up(pod));
	stint_placer_take(f->placer, &(struct stint_decision){.kind = STINT_DECIDE_EVICT, .pod = pod->handle}, 1);
	assert_non_null(pod->bind);
	served_turn_until(&f->served, &f->unplaced, 1);
	assert_null(pod->bind);
}

static void test_a_pod_that_the_engine_does_not_have_has_nothing_of_the_zones(void **state)
{
	struct fixture *f = *state;
	assert_null(stint_zones_annotation(f->served.cluster->engine, STINT_NO_HANDLE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_member_that_was_refused_is_tried_first_and_its_gang_keeps_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_member_that_is_refused_again_waits_and_those_bound_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_pod_whose_group_is_deleted_while_it_waits_for_its_volume_keeps_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_pod_that_is_regrouped_while_it_waits_for_its_volume_changes_after_its_bind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_second_bind_is_begun_for_a_pod_that_has_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_eviction_gives_up_a_bind_that_was_not_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whoever_evicts_is_told_of_a_bind_that_was_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_pod_that_the_engine_does_not_have_has_nothing_of_the_zones, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
