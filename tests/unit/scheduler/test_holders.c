/*
 * What device holders promise, against an API server that a test plays: made once, read for their UUID, blocking their slot in trouble, gone
 * with the last share.
 */
#include <scheduler/holders.h>

#include "served.h"

struct fixture {
	struct served served;
	struct stint_holders *holders;
	int created, deleted, read, spaces, changes;
	int create_status; /* what POST pods answers */
	bool hold_deletions; /* they are answered later */
	struct stint_httpd_request *held;
	const char *log;
};

static void on_request(void *user, struct stint_httpd_request *request)
{
	struct fixture *f = user;
	const char *method = stint_httpd_method(request), *path = stint_httpd_path(request);
	const struct stint_httpd_response json = {200, "application/json", NULL};
	stint_autofree char *status =
		stint_format("{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"no\",\"code\":%d}", f->create_status);
	if (strcmp(method, "POST") == 0 && strstr(path, "/pods")) {
		f->created++;
		const struct stint_httpd_response answer = {f->create_status, "application/json", NULL};
		stint_httpd_reply(request, &answer, f->create_status < 300 ? "{}" : status, f->create_status < 300 ? 2 : strlen(status));
	} else if (strcmp(method, "POST") == 0) {
		f->spaces++;
		f->create_status = 201;
		stint_httpd_reply(request, &json, "{}", 2);
	} else if (strcmp(method, "DELETE") == 0) {
		f->deleted++;
		if (f->hold_deletions)
			f->held = request;
		else
			stint_httpd_reply(request, &json, "{}", 2);
	} else {
		f->read++;
		stint_httpd_reply_text(request, 200, f->log);
	}
}

static void on_changed(void *user)
{
	((struct fixture *)user)->changes++;
}

static int64_t always(void *user)
{
	(void)user;
	return INT64_MAX;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	served_open(&f->served, on_request, f);
	f->create_status = 201;
	f->log = "{\"uuid\":\"GPU-1\"}\n";
	f->holders = stint_holders_new(&(struct stint_holders_options){.kube = f->served.kube,
		.engine = f->served.cluster->engine,
		.model = f->served.cluster->model,
		.image = "agent:1",
		.write_until_ms = always,
		.changed = on_changed,
		.user = f});
	cluster_queue(f->served.cluster, "default", 8, -1);
	cluster_node(f->served.cluster, "real", 2, false);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	stint_holders_free(f->holders);
	served_close(&f->served);
	free(f);
	return 0;
}

static void put_holder(struct fixture *f, int slot, const char *phase, bool gone)
{
	char name[STINT_HOLDER_NAME_SIZE];
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"namespace\":\"stint-reservation\",\"name\":\"%s\",\"uid\":\"h%d\",\"annotations\":"
		"{\"stint.dev/device-slot\":\"%d\"}},\"spec\":{\"nodeName\":\"real\",\"containers\":[{\"name\":\"hold\",\"image\":\"i\","
		"\"resources\":{\"limits\":{\"nvidia.com/gpu\":\"1\"},\"requests\":{\"nvidia.com/"
		"gpu\":\"1\"}}}]},\"status\":{\"phase\":\"%s\"}}",
		stint_holder_name("real", slot, name), slot, slot, phase);
	struct stint_object *object = cluster_decode(f->served.cluster, STINT_KIND_POD, NULL, NULL, json);
	stint_holders_put(f->holders, stint_pod_of(object), gone);
	stint_object_unref(object);
}

/* A share of slot 0 that is bound already. */
static void put_share(struct fixture *f, const char *name)
{
	cluster_pod(f->served.cluster, name,
		"\"annotations\":{\"gpu-fraction\":\"0.5\",\"stint.dev/gpu-devices\":\"0\",\"stint.dev/gpu-uuids\":\"GPU-1\"}",
		"\"nodeName\":\"real\"", "\"phase\":\"Running\"");
	cluster_cycle(f->served.cluster);
}

static enum stint_holder_state want(struct fixture *f, const char **uuid, const char **problem)
{
	return stint_holders_want(f->holders, "real", 0, NULL, uuid, problem);
}

/* Two whole devices can be had only while no holder blocks or shares one. */
static bool slot_is_blocked(struct fixture *f)
{
	struct stint_device_view device;
	stint_engine_device_view(f->served.cluster->engine, stint_engine_node_find(f->served.cluster->engine, "real"), 0, &device);
	return device.whole;
}

static void a_holder_is_made_once_and_ready_when_it_has_told_its_uuid(void **state)
{
	struct fixture *f = *state;
	const char *uuid = NULL, *problem = NULL;
	put_share(f, "s");
	assert_int_equal(want(f, &uuid, &problem), STINT_HOLDER_STARTING);
	assert_int_equal(want(f, &uuid, &problem), STINT_HOLDER_STARTING);
	served_turn_until(&f->served, &f->created, 1);
	put_holder(f, 0, "Pending", false);
	assert_int_equal(f->read, 0);
	put_holder(f, 0, "Running", false);
	served_turn_until(&f->served, &f->changes, 1);
	assert_int_equal(want(f, &uuid, &problem), STINT_HOLDER_READY);
	assert_string_equal(uuid, "GPU-1");
	assert_int_equal(f->created, 1);
	assert_false(slot_is_blocked(f));
}

static void it_goes_with_the_last_share_and_blocks_the_slot_until_it_has(void **state)
{
	struct fixture *f = *state;
	const char *uuid = NULL, *problem = NULL;
	put_share(f, "s");
	want(f, &uuid, &problem);
	put_holder(f, 0, "Running", false);
	served_turn_until(&f->served, &f->changes, 1);
	stint_holders_sweep(f->holders);
	assert_int_equal(f->deleted, 0);
	cluster_pod(
		f->served.cluster, "s", "\"annotations\":{\"gpu-fraction\":\"0.5\"}", "\"nodeName\":\"real\"", "\"phase\":\"Succeeded\"");
	cluster_cycle(f->served.cluster);
	stint_holders_sweep(f->holders);
	served_turn_until(&f->served, &f->deleted, 1);
	assert_true(slot_is_blocked(f));
	put_holder(f, 0, "Running", true);
	assert_false(slot_is_blocked(f));
}

static void one_that_cannot_be_made_blocks_its_slot_and_says_why(void **state)
{
	struct fixture *f = *state;
	const char *uuid = NULL, *problem = NULL;
	f->create_status = 403;
	assert_int_equal(want(f, &uuid, &problem), STINT_HOLDER_STARTING);
	served_turn_until(&f->served, &f->changes, 1);
	assert_int_equal(want(f, &uuid, &problem), STINT_HOLDER_FAILED);
	assert_non_null(strstr(problem, "slot 0 of node \"real\""));
	assert_non_null(strstr(problem, "CreateRefused"));
	assert_true(slot_is_blocked(f));
}

static void a_missing_namespace_is_made(void **state)
{
	struct fixture *f = *state;
	const char *uuid = NULL, *problem = NULL;
	f->create_status = 404;
	want(f, &uuid, &problem);
	served_turn_until(&f->served, &f->spaces, 1);
	served_turn_until(&f->served, &f->created, 2);
}

static void a_report_of_trouble_is_passed_on(void **state)
{
	struct fixture *f = *state;
	const char *uuid = NULL, *problem = NULL;
	f->log = "{\"error\":{\"cause\":\"LibraryMissing\",\"message\":\"NVML is not there\"}}\n";
	want(f, &uuid, &problem);
	put_holder(f, 0, "Failed", false);
	served_turn_until(&f->served, &f->changes, 1);
	assert_int_equal(want(f, &uuid, &problem), STINT_HOLDER_FAILED);
	assert_non_null(strstr(problem, "LibraryMissing"));
	assert_true(slot_is_blocked(f));
}

static void a_lost_holder_is_made_again_while_shares_run(void **state)
{
	struct fixture *f = *state;
	const char *uuid = NULL, *problem = NULL;
	put_share(f, "s");
	want(f, &uuid, &problem);
	put_holder(f, 0, "Running", false);
	served_turn_until(&f->served, &f->changes, 1);
	put_holder(f, 0, "Running", true);
	served_turn_until(&f->served, &f->created, 2);
	/* Another device: the share goes on, and no new one is placed there. */
	f->log = "{\"uuid\":\"GPU-2\"}\n";
	f->changes = 0;
	put_holder(f, 0, "Running", false);
	served_turn_until(&f->served, &f->changes, 1);
	assert_int_equal(want(f, &uuid, &problem), STINT_HOLDER_FAILED);
	assert_int_equal(f->deleted, 0);
}

static void turn_for_a_while(struct fixture *f)
{
	const int64_t end = stint_monotonic_ms() + 300;
	while (stint_monotonic_ms() < end)
		stint_loop_step(f->served.loop, 20);
}

static void the_log_of_a_lost_holder_does_not_speak_for_its_successor(void **state)
{
	struct fixture *f = *state;
	const char *uuid = NULL, *problem = NULL;
	put_share(f, "s");
	want(f, &uuid, &problem);
	served_turn_until(&f->served, &f->created, 1);
	turn_for_a_while(f);
	put_holder(f, 0, "Running", false); /* its log is being read */
	put_holder(f, 0, "Running", true);
	served_turn_until(&f->served, &f->created, 2);
	turn_for_a_while(f);
	assert_int_equal(want(f, &uuid, &problem), STINT_HOLDER_STARTING);
}

static void a_new_holder_waits_for_the_answer_to_the_deletion_of_its_predecessor(void **state)
{
	struct fixture *f = *state;
	const char *uuid = NULL, *problem = NULL;
	const struct stint_httpd_response json = {200, "application/json", NULL};
	put_share(f, "s");
	want(f, &uuid, &problem);
	served_turn_until(&f->served, &f->created, 1);
	turn_for_a_while(f);
	put_holder(f, 0, "Running", false);
	served_turn_until(&f->served, &f->changes, 1);
	cluster_pod(
		f->served.cluster, "s", "\"annotations\":{\"gpu-fraction\":\"0.5\"}", "\"nodeName\":\"real\"", "\"phase\":\"Succeeded\"");
	cluster_cycle(f->served.cluster);
	f->hold_deletions = true;
	stint_holders_sweep(f->holders);
	served_turn_until(&f->served, &f->deleted, 1);
	put_holder(f, 0, "Running", true); /* the watch tells before the server has answered */
	assert_int_equal(want(f, &uuid, &problem), STINT_HOLDER_STARTING);
	turn_for_a_while(f);
	assert_int_equal(f->created, 1);
	stint_httpd_reply(f->held, &json, "{}", 2);
	served_turn_until(&f->served, &f->created, 2);
}

static void shares_found_after_a_restart_get_the_holder_that_they_lack(void **state)
{
	struct fixture *f = *state;
	put_share(f, "s");
	stint_holders_adopt_share(f->holders, cluster_find(f->served.cluster, "s")->pod);
	served_turn_until(&f->served, &f->created, 1);
	stint_holders_adopt_share(f->holders, cluster_find(f->served.cluster, "s")->pod);
	size_t counts[STINT_HOLDER_STATES];
	stint_holders_count(f->holders, counts);
	assert_int_equal(counts[STINT_HOLDER_STARTING], 1);
	assert_int_equal(f->created, 1);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(a_holder_is_made_once_and_ready_when_it_has_told_its_uuid),
		WITH_SERVER(it_goes_with_the_last_share_and_blocks_the_slot_until_it_has),
		WITH_SERVER(one_that_cannot_be_made_blocks_its_slot_and_says_why),
		WITH_SERVER(a_missing_namespace_is_made),
		WITH_SERVER(a_report_of_trouble_is_passed_on),
		WITH_SERVER(a_lost_holder_is_made_again_while_shares_run),
		WITH_SERVER(the_log_of_a_lost_holder_does_not_speak_for_its_successor),
		WITH_SERVER(a_new_holder_waits_for_the_answer_to_the_deletion_of_its_predecessor),
		WITH_SERVER(shares_found_after_a_restart_get_the_holder_that_they_lack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
