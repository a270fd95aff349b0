/* How claims of a placed pod get their volumes, against a server that a test plays: what is written, who waits, and what ends the wait. */
#include <scheduler/volume_binder.h>

#include "served.h"

struct fixture {
	struct served served;
	struct stint_volume_binder *binder;
	struct stint_logger logger;
	int writes, changes;
	bool refuse;
	char path[256], body[1024]; /* of the last write */
};

static void on_request(void *user, struct stint_httpd_request *request)
{
	struct fixture *f = user;
	static const char no[] =
		"{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\",\"message\":\"not you\",\"code\":403}";
	const struct stint_httpd_response answer = {f->refuse ? 403 : 200, "application/json", NULL};
	const struct stint_slice body = stint_httpd_body(request);
	snprintf(f->path, sizeof(f->path), "%s", stint_httpd_path(request));
	snprintf(f->body, sizeof(f->body), "%.*s", (int)body.length, body.data);
	f->writes++;
	stint_httpd_reply(request, &answer, f->refuse ? no : "{}", f->refuse ? sizeof(no) - 1 : 2);
}

static int64_t always(void *user)
{
	(void)user;
	return INT64_MAX;
}

static void on_changed(void *user)
{
	((struct fixture *)user)->changes++;
}

static void put_claim(struct fixture *f, const char *annotations, const char *volume)
{
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"data\",\"uid\":\"c1\",\"resourceVersion\":\"7\",\"annotations\":{%s}},"
		"\"spec\":{\"storageClassName\":\"late\",\"accessModes\":[\"ReadWriteOnce\"],\"resources\":{\"requests\":{\"storage\":"
		"\"1Gi\"}}%s}}",
		annotations, volume);
	cluster_put(f->served.cluster, STINT_KIND_VOLUME_CLAIM, NULL, NULL, json);
}

static void put_volume_named(struct fixture *f, const char *name, const char *node, const char *claim)
{
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"name\":\"%s\",\"uid\":\"v1\",\"resourceVersion\":\"8\"},\"spec\":{\"storageClassName\":\"late\","
		"\"accessModes\":["
		"\"ReadWriteOnce\"],\"capacity\":{\"storage\":\"1Gi\"}%s,\"nodeAffinity\":{\"required\":{\"nodeSelectorTerms\":[{"
		"\"matchFields\":[{"
		"\"key\":\"metadata.name\",\"operator\":\"In\",\"values\":[\"%s\"]}]}]}}},\"status\":{\"phase\":\"Available\"}}",
		name, claim, node);
	cluster_put(f->served.cluster, STINT_KIND_VOLUME, NULL, NULL, json);
}

static void put_volume(struct fixture *f, const char *node, const char *claim)
{
	put_volume_named(f, "disk", node, claim);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	served_open(&f->served, on_request, f);
	f->binder = stint_volume_binder_new(&(struct stint_volume_binder_options){.kube = f->served.kube,
		.mirror = f->served.cluster->mirror,
		.logger = &f->logger,
		.write_until_ms = always,
		.changed = on_changed,
		.user = f});
	cluster_queue(f->served.cluster, "default", 8, -1);
	cluster_node(f->served.cluster, "n1", 8, true);
	cluster_node(f->served.cluster, "n2", 8, true);
	cluster_put(f->served.cluster, STINT_KIND_STORAGE_CLASS, NULL, NULL,
		"{\"metadata\":{\"name\":\"late\",\"uid\":\"s\"},\"provisioner\":\"x\",\"volumeBindingMode\":\"WaitForFirstConsumer\"}");
	static const char with[] = "\"volumes\":[{\"name\":\"v\",\"persistentVolumeClaim\":{\"claimName\":\"data\"}}]";
	cluster_pod(f->served.cluster, "a", "", with, "");
	cluster_pod(f->served.cluster, "b", "", with, "");
	put_claim(f, "", "");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	stint_volume_binder_free(f->binder);
	served_close(&f->served);
	free(f);
	return 0;
}

static enum stint_volume_state want(struct fixture *f, const char *pod, const char *node, char **problem)
{
	struct stint_node_view view;
	struct stint_engine *engine = f->served.cluster->engine;
	assert_true(stint_engine_node_view(engine, stint_engine_node_find(engine, node), &view));
	return stint_volume_binder_want(f->binder, cluster_find(f->served.cluster, pod)->pod, view.node, problem);
}

/* It waits, and the answer to `writes` writes in all has come. */
static void expect_waiting(struct fixture *f, const char *pod, const char *node, int writes)
{
	char *problem = NULL;
	const int before = f->changes;
	const bool writing = f->writes < writes;
	assert_int_equal(want(f, pod, node, &problem), STINT_VOLUMES_WAITING);
	if (writing) {
		served_turn_until(&f->served, &f->writes, writes);
		served_turn_until(&f->served, &f->changes, before + 1);
	}
	assert_int_equal(f->writes, writes);
}

static void expect_end(struct fixture *f, const char *pod, const char *node, enum stint_volume_state state, const char *words)
{
	stint_autofree char *problem = NULL;
	assert_int_equal(want(f, pod, node, &problem), state);
	assert_true(words ? problem && strstr(problem, words) : !problem);
	stint_volume_binder_drop(f->binder, cluster_find(f->served.cluster, pod)->pod->meta.uid);
}

static void a_free_volume_gets_the_claim_and_the_pod_waits_until_they_are_bound(void **state)
{
	struct fixture *f = *state;
	put_volume(f, "n1", "");
	expect_waiting(f, "a", "n1", 1);
	assert_string_equal(f->path, "/api/v1/persistentvolumes/disk");
	assert_string_equal(f->body,
		"{\"metadata\":{\"uid\":\"v1\",\"resourceVersion\":\"8\",\"annotations\":{\"pv.kubernetes.io/"
		"bound-by-controller\":\"yes\"}},\"spec\":{"
		"\"claimRef\":{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"namespace\":\"default\",\"name\":\"data\","
		"\"uid\":\"c1\"}}}");
	put_volume(f, "n1", ",\"claimRef\":{\"namespace\":\"default\",\"name\":\"data\",\"uid\":\"c1\"}");
	expect_waiting(f, "a", "n1", 1);
	put_claim(f, "\"pv.kubernetes.io/bind-completed\":\"yes\"", ",\"volumeName\":\"disk\"");
	expect_end(f, "a", "n1", STINT_VOLUMES_READY, NULL);
}

static void a_provisioner_is_told_the_node_and_may_give_it_back(void **state)
{
	struct fixture *f = *state;
	expect_waiting(f, "a", "n2", 1);
	assert_string_equal(f->path, "/api/v1/namespaces/default/persistentvolumeclaims/data");
	assert_string_equal(f->body,
		"{\"metadata\":{\"uid\":\"c1\",\"resourceVersion\":\"7\",\"annotations\":{\"volume.kubernetes.io/"
		"selected-node\":\"n2\"}}}");
	put_claim(f, "\"volume.kubernetes.io/selected-node\":\"n2\"", "");
	expect_waiting(f, "a", "n2", 1);
	put_claim(f, "", "");
	expect_end(f, "a", "n2", STINT_VOLUMES_FAILED, "no volume could be made for persistent volume claim \"data\" on node \"n2\"");
}

static void a_refused_write_says_why_and_lets_go_of_the_volume(void **state)
{
	struct fixture *f = *state;
	put_volume(f, "n1", "");
	f->refuse = true;
	expect_waiting(f, "a", "n1", 1);
	expect_end(f, "a", "n1", STINT_VOLUMES_FAILED, "could not be given a volume on node \"n1\": ");
	f->refuse = false;
	expect_waiting(f, "b", "n1", 2);
}

static void pods_of_one_claim_wait_for_one_volume(void **state)
{
	struct fixture *f = *state;
	put_volume(f, "n1", "");
	expect_waiting(f, "a", "n1", 1);
	expect_waiting(f, "b", "n2", 1);
	put_volume(f, "n1", ",\"claimRef\":{\"namespace\":\"default\",\"name\":\"data\",\"uid\":\"c1\"}");
	put_claim(f, "\"pv.kubernetes.io/bind-completed\":\"yes\"", ",\"volumeName\":\"disk\"");
	expect_end(f, "b", "n2", STINT_VOLUMES_TAKEN, NULL); /* the volume is not there */
	expect_end(f, "a", "n1", STINT_VOLUMES_READY, NULL);
}

static void a_volume_that_an_admin_meant_for_the_claim_keeps_the_mark_of_that(void **state)
{
	struct fixture *f = *state;
	put_volume(f, "n1", ",\"claimRef\":{\"namespace\":\"default\",\"name\":\"data\"}");
	expect_waiting(f, "a", "n1", 1);
	assert_string_equal(f->path, "/api/v1/persistentvolumes/disk");
	assert_null(strstr(f->body, "bound-by-controller"));
	assert_non_null(strstr(f->body, "\"uid\":\"c1\""));
}

static void a_claim_that_a_pod_names_twice_takes_one_volume(void **state)
{
	struct fixture *f = *state;
	cluster_pod(f->served.cluster, "twice", "",
		"\"volumes\":[{\"name\":\"v\",\"persistentVolumeClaim\":{\"claimName\":\"data\"}},"
		"{\"name\":\"w\",\"persistentVolumeClaim\":{\"claimName\":\"data\"}}]",
		"");
	assert_int_equal(cluster_find(f->served.cluster, "twice")->pod->spec->volumes_count, 1);
	put_volume_named(f, "disk", "n1", "");
	put_volume_named(f, "spare", "n1", "");
	expect_waiting(f, "twice", "n1", 1);
}

static const struct stint_volume_claim *claim_of(struct fixture *f)
{
	return stint_volumes_claim(stint_mirror_volumes(f->served.cluster->mirror), "default", "data");
}

static void what_is_assumed_anew_lets_go_of_what_was_assumed_before(void **state)
{
	struct fixture *f = *state;
	struct stint_volumes *volumes = stint_mirror_volumes(f->served.cluster->mirror);
	STINT_CLEANUP(stint_volumes_answer_clear) struct stint_volumes_answer answer = {0};
	put_volume_named(f, "disk", "n1", "");
	put_volume_named(f, "spare", "n1", "");
	stint_volumes_look_placed(volumes, cluster_find(f->served.cluster, "a")->pod, &answer);
	const struct stint_reach_need *need = &answer.reach->needs[0];
	assert_int_equal(need->choices_count, 3); /* the last is one that is made */
	stint_volumes_assume(volumes, claim_of(f), stint_volume_of(need->choices[0].object), "n1");
	stint_volumes_assume(volumes, claim_of(f), stint_volume_of(need->choices[1].object), "n1");
	stint_volumes_release(volumes, claim_of(f));
	stint_volumes_answer_clear(&answer);
	stint_volumes_look_placed(volumes, cluster_find(f->served.cluster, "a")->pod, &answer);
	assert_int_equal(answer.reach->needs[0].choices_count, 3);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(a_free_volume_gets_the_claim_and_the_pod_waits_until_they_are_bound),
		SERVED(a_provisioner_is_told_the_node_and_may_give_it_back),
		SERVED(a_refused_write_says_why_and_lets_go_of_the_volume),
		SERVED(pods_of_one_claim_wait_for_one_volume),
		SERVED(a_volume_that_an_admin_meant_for_the_claim_keeps_the_mark_of_that),
		SERVED(a_claim_that_a_pod_names_twice_takes_one_volume),
		SERVED(what_is_assumed_anew_lets_go_of_what_was_assumed_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
