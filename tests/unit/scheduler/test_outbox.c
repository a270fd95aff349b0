/* What the outbox promises: each decision is written once for certain, or given back; what is uncertain is repeated and never given away. */
#include <scheduler/bind_call.h>

#include <stint/text.h>

#include "../test.h"

/* A log of what the outbox did, as "S:a" (sent), "C:a" (checking), "=a:bound" (over), "x:a" (cancelled). */
struct fixture {
	struct stint_outbox *outbox;
	struct stint_buf log;
	struct stint_bind *sent[16];
	size_t sent_count, discarded;
};

static void on_send(void *user, struct stint_errand *errand)
{
	struct stint_bind *bind = (struct stint_bind *)errand;
	struct fixture *f = user;
	stint_buf_printf(&f->log, "%s:%s ", errand->state == STINT_ERRAND_CHECKING ? "C" : "S", bind->pod);
	f->sent[f->sent_count++ % STINT_COUNT(f->sent)] = bind;
	errand->call = f;
}

static void on_cancel(void *user, struct stint_errand *errand)
{
	stint_buf_printf(&((struct fixture *)user)->log, "x:%s ", ((struct stint_bind *)errand)->pod);
}

static void on_done(void *user, struct stint_errand *errand, enum stint_errand_outcome outcome, const char *message)
{
	(void)message;
	stint_buf_printf(&((struct fixture *)user)->log, "=%s:%s ", ((struct stint_bind *)errand)->pod, stint_bind_outcome_name(outcome));
}

static void on_discard(struct stint_errand *errand)
{
	if (errand->owner)
		((struct fixture *)errand->owner)->discarded++;
	stint_bind_free((struct stint_bind *)errand);
}

static void begin_paced(struct fixture *f, size_t in_flight_max, unsigned per_second)
{
	*f = (struct fixture){0};
	f->outbox = stint_outbox_new(in_flight_max, per_second,
		&(struct stint_outbox_hooks){.send = on_send, .cancel = on_cancel, .done = on_done, .discard = on_discard, .user = f});
}

static void begin(struct fixture *f, size_t in_flight_max)
{
	begin_paced(f, in_flight_max, 0);
}

static void finish(struct fixture *f)
{
	stint_outbox_free(f->outbox);
	stint_buf_free(&f->log);
}

static struct stint_errand *add_writes(struct fixture *f, const char *pod, bool two)
{
	struct stint_bind *bind = stint_bind_new(f, "space", pod, "uid", "node", "0", NULL);
	bind->errand.two_writes = two;
	stint_outbox_add(f->outbox, &bind->errand);
	return &bind->errand;
}

static struct stint_errand *add(struct fixture *f, const char *pod)
{
	return add_writes(f, pod, false);
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
	struct stint_errand *a = add(&f, "a");
	add(&f, "b");
	add(&f, "c");
	assert_int_equal(stint_outbox_run(f.outbox, 0, INT64_MAX), -1);
	assert_log(&f, "S:a S:b ");
	assert_int_equal(stint_outbox_in_flight(f.outbox), 2);
	stint_outbox_run(f.outbox, 1, INT64_MAX);
	assert_log(&f, "");
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_DONE, NULL, 2, -1);
	stint_outbox_run(f.outbox, 2, INT64_MAX);
	assert_log(&f, "=a:bound S:c ");
	assert_int_equal(stint_outbox_pending(f.outbox), 2);
	finish(&f);
}

static void nothing_is_sent_at_or_after_the_deadline_of_the_lease(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_errand *a = add(&f, "a");
	assert_int_equal(stint_outbox_run(f.outbox, 100, 100), -1);
	assert_log(&f, "");
	stint_outbox_run(f.outbox, 99, 100);
	assert_log(&f, "S:a ");
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_UNCERTAIN, "time-out", 99, -1);
	stint_outbox_run(f.outbox, 5000, 100);
	assert_log(&f, "");
	finish(&f);
}

static void beyond_a_burst_errands_go_at_the_given_pace(void **state)
{
	(void)state;
	struct fixture f;
	begin_paced(&f, 100, 2);
	for (int i = 0; i < 4; i++)
		add(&f, "a");
	assert_int_equal(stint_outbox_run(f.outbox, 10000, INT64_MAX), 10500);
	assert_log(&f, "S:a S:a ");
	assert_int_equal(stint_outbox_run(f.outbox, 10400, INT64_MAX), 10500);
	assert_log(&f, "");
	assert_int_equal(stint_outbox_run(f.outbox, 10500, INT64_MAX), 11000);
	assert_log(&f, "S:a ");
	assert_int_equal(stint_outbox_run(f.outbox, 90000, INT64_MAX), -1);
	assert_log(&f, "S:a ");
	add(&f, "b");
	add(&f, "b");
	assert_int_equal(stint_outbox_run(f.outbox, 90001, INT64_MAX), 90500);
	assert_log(&f, "S:b ");
	finish(&f);
}

static void a_pace_that_is_no_whole_number_of_milliseconds_is_rounded_to_the_later_one(void **state)
{
	(void)state;
	struct fixture f;
	begin_paced(&f, 100, 3);
	for (int i = 0; i < 4; i++)
		add(&f, "a");
	assert_int_equal(stint_outbox_run(f.outbox, 10000, INT64_MAX), 10334);
	assert_log(&f, "S:a S:a S:a ");
	assert_int_equal(stint_outbox_run(f.outbox, 10334, INT64_MAX), -1);
	assert_log(&f, "S:a ");
	finish(&f);
}

static void what_was_not_used_is_saved_up_for_one_burst_alone(void **state)
{
	(void)state;
	struct fixture f;
	begin_paced(&f, 100, 4);
	add(&f, "a");
	stint_outbox_run(f.outbox, 10000, INT64_MAX);
	assert_log(&f, "S:a ");
	for (int i = 0; i < 8; i++)
		add(&f, "b");
	stint_outbox_run(f.outbox, 10750, INT64_MAX);
	assert_log(&f, "S:b S:b S:b S:b ");
	finish(&f);
}

static void an_uncertain_write_is_repeated_with_growing_pauses_until_it_is_certain(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_errand *a = add(&f, "a");
	int64_t now = 0, pause = 100;
	stint_outbox_run(f.outbox, now, INT64_MAX);
	for (int i = 0; i < 8; i++) {
		stint_outbox_answer(f.outbox, a, STINT_ERRAND_UNCERTAIN, NULL, now, -1);
		const int64_t next = stint_outbox_run(f.outbox, now, INT64_MAX);
		assert_int_equal(next - now, pause);
		stint_outbox_run(f.outbox, next - 1, INT64_MAX);
		assert_int_equal(stint_outbox_in_flight(f.outbox), 0);
		now = next;
		stint_outbox_run(f.outbox, now, INT64_MAX);
		assert_int_equal(stint_outbox_in_flight(f.outbox), 1);
		pause = pause < 3200 ? pause * 2 : 3200;
	}
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_UNCERTAIN, NULL, now, 60000);
	assert_int_equal(stint_outbox_run(f.outbox, now, INT64_MAX), now + 60000);
	assert_int_equal(stint_outbox_pending(f.outbox), 1);
	finish(&f);
}

/* Sends all that the outbox lets out and gives each of them that answer. Returns how many there were. */
static size_t round_of(struct fixture *f, enum stint_errand_outcome outcome, int64_t now_ms)
{
	f->sent_count = 0;
	stint_outbox_run(f->outbox, now_ms, INT64_MAX);
	const size_t count = f->sent_count;
	assert_true(count <= STINT_COUNT(f->sent));
	for (size_t i = 0; i < count; i++)
		stint_outbox_answer(f->outbox, &f->sent[i]->errand, outcome, NULL, now_ms + 1, -1);
	return count;
}

static void a_server_in_trouble_gets_half_as_many_and_one_more_for_each_good_round(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 8);
	for (int i = 0; i < 100; i++)
		add(&f, "a");
	assert_int_equal(round_of(&f, STINT_ERRAND_DONE, 0), 8);
	assert_int_equal(round_of(&f, STINT_ERRAND_UNCERTAIN, 1000), 8); /* all of them out together: one trouble, not eight */
	assert_int_equal(round_of(&f, STINT_ERRAND_UNCERTAIN, 2000), 4);
	assert_int_equal(round_of(&f, STINT_ERRAND_UNCERTAIN, 3000), 2);
	assert_int_equal(round_of(&f, STINT_ERRAND_UNCERTAIN, 4000), 1);
	assert_int_equal(round_of(&f, STINT_ERRAND_UNCERTAIN, 5000), 1); /* never none at all */
	for (size_t wanted = 1; wanted <= 8; wanted++)
		assert_int_equal(round_of(&f, wanted % 2 ? STINT_ERRAND_DONE : STINT_ERRAND_REFUSED, 10000 + (int64_t)wanted), wanted);
	assert_int_equal(round_of(&f, STINT_ERRAND_DONE, 20000), 8);
	finish(&f);
}

static void a_slow_answer_counts_as_trouble_though_it_is_a_good_one(void **state)
{
	(void)state;
	static const struct {
		int64_t took_ms;
		size_t then;
	} table[] = {{1999, 4}, {2000, 2}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct fixture f;
		begin(&f, 4);
		struct stint_errand *a = add(&f, "a");
		stint_outbox_run(f.outbox, 5000, INT64_MAX);
		for (int k = 0; k < 8; k++)
			add(&f, "b");
		stint_outbox_answer(f.outbox, a, STINT_ERRAND_DONE, NULL, 5000 + table[i].took_ms, -1);
		stint_outbox_run(f.outbox, 8000, INT64_MAX);
		assert_int_equal(stint_outbox_in_flight(f.outbox), table[i].then);
		assert_int_equal(stint_outbox_pending(f.outbox), 8);
		finish(&f);
	}
}

static void one_that_was_sent_before_the_trouble_was_known_makes_it_no_worse(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_errand *a = add(&f, "a"), *b = add(&f, "b");
	for (int i = 0; i < 8; i++)
		add(&f, "c");
	stint_outbox_run(f.outbox, 0, INT64_MAX);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_UNCERTAIN, NULL, 4000, 9000);
	stint_outbox_answer(f.outbox, b, STINT_ERRAND_UNCERTAIN, NULL, 4010, 9000);
	assert_int_equal(stint_outbox_in_flight(f.outbox), 2);
	stint_outbox_run(f.outbox, 4020, INT64_MAX);
	assert_int_equal(stint_outbox_in_flight(f.outbox), 2);
	finish(&f);
}

static void answers_from_before_the_trouble_do_not_help_to_widen_after_it(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_errand *errands[4];
	for (size_t i = 0; i < STINT_COUNT(errands); i++)
		errands[i] = add(&f, "a");
	for (int i = 0; i < 8; i++)
		add(&f, "b");
	stint_outbox_run(f.outbox, 0, INT64_MAX);
	for (size_t i = 0; i < 3; i++)
		stint_outbox_answer(f.outbox, errands[i], STINT_ERRAND_DONE, NULL, 1, -1);
	stint_outbox_answer(f.outbox, errands[3], STINT_ERRAND_UNCERTAIN, NULL, 1, 9000);
	stint_outbox_run(f.outbox, 2, INT64_MAX);
	assert_int_equal(stint_outbox_in_flight(f.outbox), 2);
	stint_outbox_answer(f.outbox, &f.sent[4]->errand, STINT_ERRAND_DONE, NULL, 3, -1);
	stint_outbox_run(f.outbox, 3, INT64_MAX);
	assert_int_equal(stint_outbox_in_flight(f.outbox), 2);
	finish(&f);
}

static void not_yet_is_asked_again_and_no_sign_of_trouble(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	for (int i = 0; i < 4; i++)
		add(&f, "a");
	assert_int_equal(round_of(&f, STINT_ERRAND_NOT_YET, 0), 4);
	assert_int_equal(stint_outbox_run(f.outbox, 1, INT64_MAX), 101);
	assert_int_equal(stint_outbox_pending(f.outbox), 4);
	assert_int_equal(round_of(&f, STINT_ERRAND_DONE, 101), 4);
	assert_int_equal(stint_outbox_pending(f.outbox), 0);
	finish(&f);
}

static void repeats_go_before_what_was_not_sent_and_cost_no_pace(void **state)
{
	(void)state;
	struct fixture f;
	begin_paced(&f, 2, 2);
	struct stint_errand *a = add(&f, "a");
	struct stint_errand *b = add(&f, "b");
	add(&f, "c");
	stint_outbox_run(f.outbox, 10000, INT64_MAX);
	assert_log(&f, "S:a S:b ");
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_NOT_YET, NULL, 10000, -1);
	assert_int_equal(stint_outbox_run(f.outbox, 10000, INT64_MAX), 10100);
	stint_outbox_answer(f.outbox, b, STINT_ERRAND_DONE, NULL, 10100, -1);
	stint_outbox_run(f.outbox, 10500, INT64_MAX);
	assert_log(&f, "=b:bound S:a S:c ");
	finish(&f);
}

static void first_writes_go_ahead_of_second_ones(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 1);
	struct stint_errand *a = add_writes(&f, "a", true), *b = add_writes(&f, "b", true);
	stint_outbox_run(f.outbox, 0, INT64_MAX);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_HALF_DONE, NULL, 1, -1);
	stint_outbox_run(f.outbox, 1, INT64_MAX);
	stint_outbox_answer(f.outbox, b, STINT_ERRAND_HALF_DONE, NULL, 2, -1);
	stint_outbox_run(f.outbox, 2, INT64_MAX);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_DONE, NULL, 3, -1);
	stint_outbox_run(f.outbox, 3, INT64_MAX);
	stint_outbox_answer(f.outbox, b, STINT_ERRAND_UNCERTAIN, NULL, 4, -1);
	assert_int_equal(stint_outbox_run(f.outbox, 4, INT64_MAX), 104);
	stint_outbox_run(f.outbox, 104, INT64_MAX);
	assert_log(&f, "S:a S:b S:a =a:bound S:b S:b ");
	assert_int_equal(stint_outbox_pending(f.outbox), 1);
	finish(&f);
}

static void the_pace_is_that_of_second_writes_and_first_ones_are_ten_seconds_ahead_of_it(void **state)
{
	(void)state;
	struct fixture f;
	begin_paced(&f, 100, 1);
	struct stint_errand *errands[13];
	for (size_t i = 0; i < STINT_COUNT(errands); i++)
		errands[i] = add_writes(&f, i == 0 ? "a" : "b", true);
	assert_int_equal(stint_outbox_run(f.outbox, 10000, INT64_MAX), -1);
	assert_int_equal(stint_outbox_in_flight(f.outbox), 13);
	stint_buf_reset(&f.log);
	for (size_t i = 0; i < STINT_COUNT(errands); i++)
		stint_outbox_answer(f.outbox, errands[i], STINT_ERRAND_HALF_DONE, NULL, 10000, -1);
	for (int i = 0; i < 5; i++)
		add_writes(&f, "late", true);
	assert_int_equal(stint_outbox_run(f.outbox, 10000, INT64_MAX), 11000);
	assert_log(&f, "S:a ");
	stint_outbox_run(f.outbox, 11000, INT64_MAX);
	stint_outbox_run(f.outbox, 12000, INT64_MAX);
	assert_log(&f, "S:b S:b ");
	assert_int_equal(stint_outbox_run(f.outbox, 13000, INT64_MAX), 14000); /* nine are halfway: first writes again */
	assert_log(&f, "S:b S:late S:late S:late S:late S:late ");
	finish(&f);
}

static void one_that_is_halfway_can_be_dropped_and_freed(void **state)
{
	(void)state;
	struct fixture f;
	begin_paced(&f, 100, 1);
	struct stint_errand *errands[3];
	for (size_t i = 0; i < STINT_COUNT(errands); i++)
		errands[i] = add_writes(&f, "a", true);
	stint_outbox_run(f.outbox, 10000, INT64_MAX);
	for (size_t i = 0; i < STINT_COUNT(errands); i++)
		stint_outbox_answer(f.outbox, errands[i], STINT_ERRAND_HALF_DONE, NULL, 10000, -1);
	stint_buf_reset(&f.log);
	stint_outbox_drop(f.outbox, errands[1]);
	assert_int_equal(stint_outbox_pending(f.outbox), 2);
	stint_outbox_run(f.outbox, 10000, INT64_MAX);
	assert_log(&f, "S:a ");
	stint_outbox_free(f.outbox); /* one is out, one halfway */
	assert_log(&f, "x:a ");
	assert_int_equal(f.discarded, 2);
	stint_buf_free(&f.log);
}

static void the_last_of_those_halfway_can_go_and_others_come_after_it(void **state)
{
	(void)state;
	struct fixture f;
	begin_paced(&f, 100, 1);
	static const char *const names[] = {"a", "b", "c"};
	struct stint_errand *errands[STINT_COUNT(names)];
	for (size_t i = 0; i < STINT_COUNT(names); i++)
		errands[i] = add_writes(&f, names[i], true);
	stint_outbox_run(f.outbox, 10000, INT64_MAX);
	for (size_t i = 0; i < STINT_COUNT(names); i++)
		stint_outbox_answer(f.outbox, errands[i], STINT_ERRAND_HALF_DONE, NULL, 10000, -1);
	stint_outbox_drop(f.outbox, errands[2]);
	struct stint_errand *d = add_writes(&f, "d", true);
	stint_outbox_run(f.outbox, 10000, INT64_MAX);
	stint_outbox_answer(f.outbox, d, STINT_ERRAND_HALF_DONE, NULL, 10000, -1);
	stint_outbox_run(f.outbox, 11000, INT64_MAX);
	stint_outbox_run(f.outbox, 12000, INT64_MAX);
	assert_log(&f, "S:a S:b S:c S:d S:a S:b S:d ");
	finish(&f);
}

static void one_that_is_dropped_during_its_first_write_gets_no_second(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_errand *a = add_writes(&f, "a", true);
	stint_outbox_run(f.outbox, 0, INT64_MAX);
	stint_outbox_drop(f.outbox, a);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_HALF_DONE, NULL, 1, -1);
	assert_int_equal(stint_outbox_pending(f.outbox), 0);
	stint_outbox_run(f.outbox, 1, INT64_MAX);
	assert_log(&f, "S:a ");
	finish(&f);
}

static void a_second_write_without_an_answer_is_repeated_though_others_were_never_sent(void **state)
{
	(void)state;
	struct fixture f;
	begin_paced(&f, 100, 1);
	struct stint_errand *errands[12];
	for (size_t i = 0; i < STINT_COUNT(errands); i++)
		errands[i] = add_writes(&f, i == 0 ? "a" : "b", true);
	stint_outbox_run(f.outbox, 10000, INT64_MAX);
	for (size_t i = 0; i < STINT_COUNT(errands); i++)
		stint_outbox_answer(f.outbox, errands[i], STINT_ERRAND_HALF_DONE, NULL, 10000, -1);
	add_writes(&f, "late", true); /* waits: enough are halfway */
	stint_buf_reset(&f.log);
	stint_outbox_run(f.outbox, 10000, INT64_MAX);
	stint_outbox_answer(f.outbox, errands[0], STINT_ERRAND_UNCERTAIN, NULL, 10000, -1);
	assert_int_equal(stint_outbox_run(f.outbox, 10000, INT64_MAX), 10100);
	stint_outbox_run(f.outbox, 10100, INT64_MAX);
	assert_log(&f, "S:a S:a ");
	finish(&f);
}

static void the_pauses_of_a_second_write_begin_anew(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_errand *a = add_writes(&f, "a", true);
	stint_outbox_run(f.outbox, 0, INT64_MAX);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_UNCERTAIN, NULL, 0, -1);
	stint_outbox_run(f.outbox, 100, INT64_MAX);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_HALF_DONE, NULL, 100, -1);
	assert_null(a->call);
	stint_outbox_run(f.outbox, 100, INT64_MAX);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_UNCERTAIN, NULL, 100, -1);
	assert_int_equal(stint_outbox_run(f.outbox, 100, INT64_MAX), 200);
	assert_log(&f, "S:a S:a S:a ");
	finish(&f);
}

static void the_first_of_two_writes_is_as_good_an_answer_as_any(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	for (int i = 0; i < 20; i++)
		add_writes(&f, "a", true);
	assert_int_equal(round_of(&f, STINT_ERRAND_UNCERTAIN, 0), 4);
	for (size_t wanted = 2; wanted <= 4; wanted++)
		assert_int_equal(round_of(&f, STINT_ERRAND_HALF_DONE, 1000 * (int64_t)wanted), wanted);
	finish(&f);
}

static void a_conflict_of_the_first_of_two_writes_is_settled_by_the_pod_too(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_errand *a = add_writes(&f, "a", true);
	stint_outbox_run(f.outbox, 0, INT64_MAX);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_CONFLICT, NULL, 1, -1);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_GONE, NULL, 2, -1);
	assert_log(&f, "S:a C:a =a:gone ");
	finish(&f);
}

static void a_conflict_is_settled_by_the_pod_itself(void **state)
{
	(void)state;
	static const struct {
		enum stint_errand_outcome check;
		const char *log;
	} table[] = {
		{STINT_ERRAND_DONE, "S:a C:a =a:bound "},
		{STINT_ERRAND_CONFLICT, "S:a C:a =a:conflict "},
		{STINT_ERRAND_GONE, "S:a C:a =a:gone "},
	};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct fixture f;
		begin(&f, 4);
		struct stint_errand *a = add(&f, "a");
		stint_outbox_run(f.outbox, 0, INT64_MAX);
		stint_outbox_answer(f.outbox, a, STINT_ERRAND_CONFLICT, NULL, 1, -1);
		stint_outbox_answer(f.outbox, a, table[i].check, NULL, 2, -1);
		assert_log(&f, table[i].log);
		assert_int_equal(stint_outbox_pending(f.outbox), 0);
		finish(&f);
	}
}

static void a_check_without_an_answer_leads_back_to_the_write(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 4);
	struct stint_errand *a = add(&f, "a");
	stint_outbox_run(f.outbox, 0, INT64_MAX);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_CONFLICT, NULL, 0, -1);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_UNCERTAIN, NULL, 0, -1);
	assert_int_equal(stint_outbox_run(f.outbox, 0, INT64_MAX), 100); /* the check was no second attempt */
	stint_outbox_run(f.outbox, 10000, INT64_MAX);
	assert_log(&f, "S:a C:a S:a ");
	finish(&f);
}

static void one_that_nobody_asks_for_any_more_ends_silently(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 1);
	struct stint_errand *a = add(&f, "a"), *b = add(&f, "b");
	add(&f, "c");
	stint_outbox_run(f.outbox, 0, INT64_MAX);
	stint_outbox_drop(f.outbox, b);
	stint_outbox_drop(f.outbox, a);
	assert_int_equal(stint_outbox_in_flight(f.outbox), 1);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_DONE, NULL, 1, -1);
	stint_outbox_run(f.outbox, 1, INT64_MAX);
	assert_log(&f, "S:a S:c ");
	finish(&f);
}

static void one_that_nobody_asks_for_any_more_is_not_repeated(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 1);
	struct stint_errand *a = add(&f, "a");
	stint_outbox_run(f.outbox, 0, INT64_MAX);
	stint_outbox_drop(f.outbox, a);
	stint_outbox_answer(f.outbox, a, STINT_ERRAND_UNCERTAIN, NULL, 1, -1);
	assert_int_equal(stint_outbox_pending(f.outbox), 0);
	assert_log(&f, "S:a ");
	finish(&f);
}

static void freeing_cancels_what_is_out(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 1);
	add(&f, "a");
	add(&f, "b");
	stint_outbox_run(f.outbox, 0, INT64_MAX);
	stint_outbox_free(f.outbox);
	assert_log(&f, "S:a x:a ");
	stint_buf_free(&f.log);
}

static void the_binding_carries_uid_node_and_devices_in_one_body(void **state)
{
	(void)state;
	struct stint_bind *bind = stint_bind_new(NULL, "vision", "train-0", "u-1", "node-7", "0,3", "GPU-a,GPU-b");
	stint_autofree char *body = stint_bind_body(bind);
	stint_auto_json *json = stint_json_parse(body, strlen(body), 0, NULL);
	assert_string_equal(stint_json_string_at(json, "metadata", "uid"), "u-1");
	assert_string_equal(stint_json_string_at(json, "metadata", "namespace"), "vision");
	assert_string_equal(stint_json_string_at(json, "metadata", "annotations", "stint.dev/gpu-devices"), "0,3");
	assert_string_equal(stint_json_string_at(json, "metadata", "annotations", "stint.dev/gpu-uuids"), "GPU-a,GPU-b");
	assert_string_equal(stint_json_string_at(json, "target", "name"), "node-7");
	assert_string_equal(stint_json_string_at(json, "target", "kind"), "Node");
	stint_bind_free(bind);
}

static void statuses_say_what_is_certain(void **state)
{
	(void)state;
	static const struct {
		int status;
		enum stint_errand_outcome outcome;
	} table[] = {{201, STINT_ERRAND_DONE}, {200, STINT_ERRAND_DONE}, {404, STINT_ERRAND_GONE}, {409, STINT_ERRAND_CONFLICT},
		{0, STINT_ERRAND_UNCERTAIN}, {401, STINT_ERRAND_UNCERTAIN}, {408, STINT_ERRAND_UNCERTAIN}, {429, STINT_ERRAND_UNCERTAIN},
		{500, STINT_ERRAND_UNCERTAIN}, {503, STINT_ERRAND_UNCERTAIN}, {504, STINT_ERRAND_UNCERTAIN}, {400, STINT_ERRAND_REFUSED},
		{403, STINT_ERRAND_REFUSED}, {422, STINT_ERRAND_REFUSED}};
	for (size_t i = 0; i < STINT_COUNT(table); i++)
		assert_int_equal(stint_errand_outcome_of_status(table[i].status), table[i].outcome);
}

static void the_pod_tells_whether_the_bind_came_through(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 1);
	const struct stint_bind *bind = (struct stint_bind *)add(&f, "a");
	static const struct {
		int status;
		const char *body;
		enum stint_errand_outcome outcome;
	} table[] = {
		{200, "{\"metadata\":{\"uid\":\"uid\"},\"spec\":{\"nodeName\":\"node\"}}", STINT_ERRAND_DONE},
		{200, "{\"metadata\":{\"uid\":\"uid\"},\"spec\":{\"nodeName\":\"other\"}}", STINT_ERRAND_CONFLICT},
		{200, "{\"metadata\":{\"uid\":\"uid\"},\"spec\":{}}", STINT_ERRAND_CONFLICT},
		{200, "{\"metadata\":{\"uid\":\"new\"},\"spec\":{\"nodeName\":\"node\"}}", STINT_ERRAND_GONE},
		{404, "", STINT_ERRAND_GONE},
		{200, "{", STINT_ERRAND_UNCERTAIN},
		{500, "", STINT_ERRAND_UNCERTAIN},
		{0, "", STINT_ERRAND_UNCERTAIN},
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
		cmocka_unit_test(beyond_a_burst_errands_go_at_the_given_pace),
		cmocka_unit_test(a_pace_that_is_no_whole_number_of_milliseconds_is_rounded_to_the_later_one),
		cmocka_unit_test(what_was_not_used_is_saved_up_for_one_burst_alone),
		cmocka_unit_test(an_uncertain_write_is_repeated_with_growing_pauses_until_it_is_certain),
		cmocka_unit_test(a_server_in_trouble_gets_half_as_many_and_one_more_for_each_good_round),
		cmocka_unit_test(a_slow_answer_counts_as_trouble_though_it_is_a_good_one),
		cmocka_unit_test(one_that_was_sent_before_the_trouble_was_known_makes_it_no_worse),
		cmocka_unit_test(answers_from_before_the_trouble_do_not_help_to_widen_after_it),
		cmocka_unit_test(not_yet_is_asked_again_and_no_sign_of_trouble),
		cmocka_unit_test(repeats_go_before_what_was_not_sent_and_cost_no_pace),
		cmocka_unit_test(first_writes_go_ahead_of_second_ones),
		cmocka_unit_test(the_pace_is_that_of_second_writes_and_first_ones_are_ten_seconds_ahead_of_it),
		cmocka_unit_test(one_that_is_halfway_can_be_dropped_and_freed),
		cmocka_unit_test(the_last_of_those_halfway_can_go_and_others_come_after_it),
		cmocka_unit_test(one_that_is_dropped_during_its_first_write_gets_no_second),
		cmocka_unit_test(a_second_write_without_an_answer_is_repeated_though_others_were_never_sent),
		cmocka_unit_test(the_pauses_of_a_second_write_begin_anew),
		cmocka_unit_test(the_first_of_two_writes_is_as_good_an_answer_as_any),
		cmocka_unit_test(a_conflict_of_the_first_of_two_writes_is_settled_by_the_pod_too),
		cmocka_unit_test(a_conflict_is_settled_by_the_pod_itself),
		cmocka_unit_test(a_check_without_an_answer_leads_back_to_the_write),
		cmocka_unit_test(one_that_nobody_asks_for_any_more_ends_silently),
		cmocka_unit_test(one_that_nobody_asks_for_any_more_is_not_repeated),
		cmocka_unit_test(freeing_cancels_what_is_out),
		cmocka_unit_test(the_binding_carries_uid_node_and_devices_in_one_body),
		cmocka_unit_test(statuses_say_what_is_certain),
		cmocka_unit_test(the_pod_tells_whether_the_bind_came_through),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
