/* What the binder promises: each decision is written once for certain, or given back; what is uncertain is repeated and never given away. */
#include <scheduler/bind_call.h>
#include <scheduler/binder.h>

#include <stint/text.h>

#include "../test.h"

/* A log of what the binder did, as "S:a" (sent), "C:a" (checking), "=a:bound" (over), "x:a" (cancelled). */
struct fixture {
	struct stint_binder *binder;
	struct stint_buf log;
	struct stint_bind *sent[16];
	size_t sent_count;
};

static void on_send(void *user, struct stint_bind *bind)
{
	struct fixture *f = user;
	stint_buf_printf(&f->log, "%s:%s ", bind->state == STINT_BIND_CHECKING ? "C" : "S", bind->pod);
	f->sent[f->sent_count++ % STINT_COUNT(f->sent)] = bind;
}

static void on_cancel(void *user, struct stint_bind *bind)
{
	stint_buf_printf(&((struct fixture *)user)->log, "x:%s ", bind->pod);
}

static void on_done(void *user, struct stint_bind *bind, enum stint_bind_outcome outcome, const char *message)
{
	(void)message;
	stint_buf_printf(&((struct fixture *)user)->log, "=%s:%s ", bind->pod, stint_bind_outcome_name(outcome));
}

static void begin(struct fixture *f, size_t in_flight_max)
{
	*f = (struct fixture){0};
	f->binder = stint_binder_new(
		in_flight_max, &(struct stint_binder_hooks){.send = on_send, .cancel = on_cancel, .done = on_done, .user = f});
}

static void finish(struct fixture *f)
{
	stint_binder_free(f->binder);
	stint_buf_free(&f->log);
}

static struct stint_bind *add(struct fixture *f, const char *pod)
{
	return stint_binder_add(f->binder, f, "space", pod, "uid", "node", "0", NULL);
}

static void assert_log(struct fixture *f, const char *wanted)
{
	assert_string_equal(f->log.data ? f->log.data : "", wanted);
	stint_buf_reset(&f->log);
}

static void no_more_than_the_maximum_is_out_and_order_is_kept(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 2);
	struct stint_bind *a = add(&f, "a");
	add(&f, "b");
	add(&f, "c");
	assert_int_equal(stint_binder_run(f.binder, 0, INT64_MAX), -1);
	assert_log(&f, "S:a S:b ");
	assert_int_equal(stint_binder_in_flight(f.binder), 2);
	stint_binder_run(f.binder, 1, INT64_MAX);
	assert_log(&f, "");
	stint_binder_answer(f.binder, a, STINT_BIND_BOUND, NULL, 2, -1);
	stint_binder_run(f.binder, 2, INT64_MAX);
	assert_log(&f, "=a:bound S:c ");
	assert_int_equal(stint_binder_pending(f.binder), 2);
	finish(&f);
}

static void nothing_is_sent_at_or_after_the_deadline_of_the_lease(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_bind *a = add(&f, "a");
	assert_int_equal(stint_binder_run(f.binder, 100, 100), -1);
	assert_log(&f, "");
	stint_binder_run(f.binder, 99, 100);
	assert_log(&f, "S:a ");
	stint_binder_answer(f.binder, a, STINT_BIND_UNCERTAIN, "time-out", 99, -1);
	stint_binder_run(f.binder, 5000, 100);
	assert_log(&f, "");
	finish(&f);
}

static void an_uncertain_write_is_repeated_with_growing_pauses_until_it_is_certain(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_bind *a = add(&f, "a");
	int64_t now = 0, pause = 100;
	stint_binder_run(f.binder, now, INT64_MAX);
	for (int i = 0; i < 8; i++) {
		stint_binder_answer(f.binder, a, STINT_BIND_UNCERTAIN, NULL, now, -1);
		const int64_t next = stint_binder_run(f.binder, now, INT64_MAX);
		assert_int_equal(next - now, pause);
		stint_binder_run(f.binder, next - 1, INT64_MAX);
		assert_int_equal(stint_binder_in_flight(f.binder), 0);
		now = next;
		stint_binder_run(f.binder, now, INT64_MAX);
		assert_int_equal(stint_binder_in_flight(f.binder), 1);
		pause = pause < 3200 ? pause * 2 : 3200;
	}
	stint_binder_answer(f.binder, a, STINT_BIND_UNCERTAIN, NULL, now, 60000);
	assert_int_equal(stint_binder_run(f.binder, now, INT64_MAX), now + 60000);
	assert_int_equal(stint_binder_pending(f.binder), 1);
	finish(&f);
}

static void a_conflict_is_settled_by_the_pod_itself(void **state)
{
	(void)state;
	static const struct {
		enum stint_bind_outcome check;
		const char *log;
	} table[] = {
		{STINT_BIND_BOUND, "S:a C:a =a:bound "},
		{STINT_BIND_CONFLICT, "S:a C:a =a:conflict "},
		{STINT_BIND_GONE, "S:a C:a =a:gone "},
	};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct fixture f;
		begin(&f, 4);
		struct stint_bind *a = add(&f, "a");
		stint_binder_run(f.binder, 0, INT64_MAX);
		stint_binder_answer(f.binder, a, STINT_BIND_CONFLICT, NULL, 1, -1);
		stint_binder_answer(f.binder, a, table[i].check, NULL, 2, -1);
		assert_log(&f, table[i].log);
		assert_int_equal(stint_binder_pending(f.binder), 0);
		finish(&f);
	}
}

static void a_check_without_an_answer_leads_back_to_the_write(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_bind *a = add(&f, "a");
	stint_binder_run(f.binder, 0, INT64_MAX);
	stint_binder_answer(f.binder, a, STINT_BIND_CONFLICT, NULL, 0, -1);
	stint_binder_answer(f.binder, a, STINT_BIND_UNCERTAIN, NULL, 0, -1);
	stint_binder_run(f.binder, 10000, INT64_MAX);
	assert_log(&f, "S:a C:a S:a ");
	finish(&f);
}

static void one_that_nobody_asks_for_any_more_ends_silently(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 1);
	struct stint_bind *a = add(&f, "a"), *b = add(&f, "b");
	add(&f, "c");
	stint_binder_run(f.binder, 0, INT64_MAX);
	stint_binder_drop(f.binder, b);
	stint_binder_drop(f.binder, a);
	assert_int_equal(stint_binder_in_flight(f.binder), 1);
	stint_binder_answer(f.binder, a, STINT_BIND_BOUND, NULL, 1, -1);
	stint_binder_run(f.binder, 1, INT64_MAX);
	assert_log(&f, "S:a S:c ");
	finish(&f);
}

static void freeing_cancels_what_is_out(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 1);
	add(&f, "a");
	add(&f, "b");
	stint_binder_run(f.binder, 0, INT64_MAX);
	stint_binder_free(f.binder);
	assert_log(&f, "S:a x:a ");
	stint_buf_free(&f.log);
}

static void the_binding_carries_uid_node_and_devices_in_one_body(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 1);
	struct stint_bind *bind = stint_binder_add(f.binder, NULL, "vision", "train-0", "u-1", "node-7", "0,3", "GPU-a,GPU-b");
	stint_autofree char *body = stint_bind_body(bind);
	stint_auto_json *json = stint_json_parse(body, strlen(body), 0, NULL);
	assert_string_equal(stint_json_string_at(json, "metadata", "uid"), "u-1");
	assert_string_equal(stint_json_string_at(json, "metadata", "namespace"), "vision");
	assert_string_equal(stint_json_string_at(json, "metadata", "annotations", "stint.dev/gpu-devices"), "0,3");
	assert_string_equal(stint_json_string_at(json, "metadata", "annotations", "stint.dev/gpu-uuids"), "GPU-a,GPU-b");
	assert_string_equal(stint_json_string_at(json, "target", "name"), "node-7");
	assert_string_equal(stint_json_string_at(json, "target", "kind"), "Node");
	finish(&f);
}

static void statuses_say_what_is_certain(void **state)
{
	(void)state;
	static const struct {
		int status;
		enum stint_bind_outcome outcome;
	} table[] = {{201, STINT_BIND_BOUND}, {200, STINT_BIND_BOUND}, {404, STINT_BIND_GONE}, {409, STINT_BIND_CONFLICT},
		{0, STINT_BIND_UNCERTAIN}, {401, STINT_BIND_UNCERTAIN}, {408, STINT_BIND_UNCERTAIN}, {429, STINT_BIND_UNCERTAIN},
		{500, STINT_BIND_UNCERTAIN}, {503, STINT_BIND_UNCERTAIN}, {504, STINT_BIND_UNCERTAIN}, {400, STINT_BIND_REFUSED},
		{403, STINT_BIND_REFUSED}, {422, STINT_BIND_REFUSED}};
	for (size_t i = 0; i < STINT_COUNT(table); i++)
		assert_int_equal(stint_bind_outcome_of_write(table[i].status), table[i].outcome);
}

static void the_pod_tells_whether_the_bind_came_through(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 1);
	const struct stint_bind *bind = add(&f, "a");
	static const struct {
		int status;
		const char *body;
		enum stint_bind_outcome outcome;
	} table[] = {
		{200, "{\"metadata\":{\"uid\":\"uid\"},\"spec\":{\"nodeName\":\"node\"}}", STINT_BIND_BOUND},
		{200, "{\"metadata\":{\"uid\":\"uid\"},\"spec\":{\"nodeName\":\"other\"}}", STINT_BIND_CONFLICT},
		{200, "{\"metadata\":{\"uid\":\"uid\"},\"spec\":{}}", STINT_BIND_CONFLICT},
		{200, "{\"metadata\":{\"uid\":\"new\"},\"spec\":{\"nodeName\":\"node\"}}", STINT_BIND_GONE},
		{404, "", STINT_BIND_GONE},
		{200, "{", STINT_BIND_UNCERTAIN},
		{500, "", STINT_BIND_UNCERTAIN},
		{0, "", STINT_BIND_UNCERTAIN},
	};
	for (size_t i = 0; i < STINT_COUNT(table); i++)
		assert_int_equal(stint_bind_outcome_of_pod(bind, table[i].status, table[i].body, strlen(table[i].body)), table[i].outcome);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_than_the_maximum_is_out_and_order_is_kept),
		cmocka_unit_test(nothing_is_sent_at_or_after_the_deadline_of_the_lease),
		cmocka_unit_test(an_uncertain_write_is_repeated_with_growing_pauses_until_it_is_certain),
		cmocka_unit_test(a_conflict_is_settled_by_the_pod_itself),
		cmocka_unit_test(a_check_without_an_answer_leads_back_to_the_write),
		cmocka_unit_test(one_that_nobody_asks_for_any_more_ends_silently),
		cmocka_unit_test(freeing_cancels_what_is_out),
		cmocka_unit_test(the_binding_carries_uid_node_and_devices_in_one_body),
		cmocka_unit_test(statuses_say_what_is_certain),
		cmocka_unit_test(the_pod_tells_whether_the_bind_came_through),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
