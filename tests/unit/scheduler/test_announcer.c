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
}

static void it_waits_for_its_time_and_evictions_are_told_first(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	stint_announcer_scheduled(f.announcer, cluster_find(f.served.cluster, "a")->pod, "node");
	stint_announcer_evicted(f.announcer, cluster_find(f.served.cluster, "b")->pod, "Reclaimed", "why");
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
		stint_announcer_evicted(f.announcer, cluster_find(f.served.cluster, "b")->pod, "Reclaimed", "why");
	}
	finish(&f);
	assert_int_equal(f.events, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_waits_for_its_time_and_evictions_are_told_first),
		cmocka_unit_test(what_was_not_told_is_forgotten_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
