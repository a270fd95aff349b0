/* What the announcer promises: nothing is told while places are being given or taken, and who lost one hears of it first. */
#include <scheduler/announcer.h>

#include <stint/text.h>

#include "served.h"

struct fixture {
	struct served served;
	struct stint_recorder *recorder;
	struct stint_logger logger;
	struct stint_announcer *announcer;
	struct stint_buf log; /* "reason of pod; " for each event that came */
	char *cost; /* what the last one said that was lost: "2.5 90" */
	int events, asked;
	bool may_write;
};

static void on_request(void *user, struct stint_httpd_request *request)
{
	struct fixture *f = user;
	const struct stint_slice body = stint_httpd_body(request);
	stint_auto_json *event = stint_json_parse(body.data, body.length, 0, NULL);
	stint_buf_printf(&f->log, "%s of %s; ", stint_json_string_or(stint_json_at(event, "reason"), "?"),
		stint_json_string_or(stint_json_at(event, "involvedObject", "name"), "?"));
	const struct stint_json *told = stint_json_at(event, "metadata", "annotations");
	free(f->cost);
	f->cost = stint_format("%s %s", stint_json_string_or(stint_json_get(told, "stint.dev/lost-gpus"), "?"),
		stint_json_string_or(stint_json_get(told, "stint.dev/lost-seconds"), "?"));
	f->events++;
	stint_httpd_reply(request, &(struct stint_httpd_response){201, "application/json", NULL}, "{}", 2);
}

static bool may_write(void *user)
{
	struct fixture *f = user;
	f->asked++;
	return f->may_write;
}

static void begin(struct fixture *f)
{
	*f = (struct fixture){0};
	served_open(&f->served, on_request, f);
	f->recorder = stint_recorder_new(
		f->served.kube, &(struct stint_recorder_options){.component = "test", .in_flight_max = 1, .logger = &f->logger});
	f->announcer = stint_announcer_new(f->served.loop, f->recorder, may_write, f);
	cluster_pod(f->served.cluster, "a", "", "", "");
	cluster_pod(f->served.cluster, "b", "", "", "");
}

static void finish(struct fixture *f)
{
	stint_announcer_free(f->announcer);
	stint_recorder_free(f->recorder);
	served_close(&f->served);
	stint_buf_free(&f->log);
	free(f->cost);
}

static void evict(struct fixture *f, double gpus, int64_t ran_ms)
{
	struct stint_eviction *eviction = stint_eviction_new(NULL, "default", "b", "u", "Reclaimed", "why", 0, false);
	eviction->gpus = gpus;
	eviction->ran_ms = ran_ms;
	stint_announcer_evicted(f->announcer, cluster_find(f->served.cluster, "b")->pod, eviction);
	stint_eviction_free(eviction);
}

static void what_was_lost_is_told_and_what_is_not_known_is_not(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	f.may_write = true;
	evict(&f, 2.5, 90500);
	served_turn_until(&f.served, &f.events, 1);
	assert_string_equal(f.cost, "2.5 90");
	evict(&f, 0.125, -1);
	served_turn_until(&f.served, &f.events, 2);
	assert_string_equal(f.cost, "0.125 ?");
	finish(&f);
}

static void it_waits_for_its_time_and_evictions_are_told_first(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	stint_announcer_scheduled(f.announcer, cluster_find(f.served.cluster, "a")->pod, "node");
	evict(&f, 2.5, 90500);
	served_turn_until(&f.served, &f.asked, 2);
	assert_int_equal(f.events, 0);
	f.may_write = true;
	served_turn_until(&f.served, &f.events, 2);
	assert_string_equal(f.log.data, "Reclaimed of b; Scheduled of a; ");
	finish(&f);
}

static void what_was_not_told_is_forgotten_at_the_end(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	for (int i = 0; i < 5000; i++) { /* more than are kept */
		stint_announcer_scheduled(f.announcer, cluster_find(f.served.cluster, "a")->pod, "node");
		evict(&f, -1, -1);
	}
	finish(&f);
	assert_int_equal(f.events, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_lost_is_told_and_what_is_not_known_is_not),
		cmocka_unit_test(it_waits_for_its_time_and_evictions_are_told_first),
		cmocka_unit_test(what_was_not_told_is_forgotten_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
