/* base: the event loop. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

struct trace {
	struct stint_loop *loop;
	struct stint_timer *timers[3];
	struct stint_watch_fd *watches[2];
	char order[16];
	size_t count;
	int status;
};

static void note(struct trace *trace, char what)
{
	if (trace->count < sizeof(trace->order) - 1)
		trace->order[trace->count++] = what;
}

static struct stint_loop *new_loop(void)
{
	struct stint_loop *loop = NULL;
	assert_works(loop = stint_loop_new(&err));
	return loop;
}

static void on_a(void *user)
{
	note(user, 'a');
}

static void on_b(void *user)
{
	note(user, 'b');
}

static void on_c(void *user)
{
	struct trace *trace = user;
	note(trace, 'c');
	stint_loop_stop(trace->loop);
}

static void timers_fire_in_order_of_time_then_of_setting(void **state)
{
	(void)state;
	struct trace trace = {.loop = new_loop()};
	trace.timers[0] = stint_timer_new(trace.loop, on_a, &trace);
	trace.timers[1] = stint_timer_new(trace.loop, on_b, &trace);
	trace.timers[2] = stint_timer_new(trace.loop, on_c, &trace);
	stint_timer_set(trace.timers[2], 20);
	stint_timer_set(trace.timers[1], 5);
	stint_timer_set(trace.timers[0], 0);
	stint_timer_set(trace.timers[1], 1);
	stint_loop_run(trace.loop);
	assert_string_equal(trace.order, "abc");
	for (int i = 0; i < 3; i++)
		stint_timer_free(trace.timers[i]);
	stint_loop_free(trace.loop);
}

static void on_free_both(void *user, int fd, int events)
{
	struct trace *trace = user;
	(void)fd;
	(void)events;
	note(trace, 'x');
	stint_fd_unwatch(trace->watches[0]);
	stint_fd_unwatch(trace->watches[1]);
}

static void a_handler_may_free_a_watcher_whose_event_is_pending(void **state)
{
	(void)state;
	struct trace trace = {.loop = new_loop()};
	int pipes[2][2];
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		assert_int_equal(write(pipes[i][1], "!", 1), 1);
		trace.watches[i] = stint_fd_watch(trace.loop, pipes[i][0], STINT_READ, on_free_both, &trace);
	}
	stint_loop_step(trace.loop, 100);
	stint_loop_step(trace.loop, 0);
	assert_string_equal(trace.order, "x");
	stint_loop_free(trace.loop);
	for (int i = 0; i < 2; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

static void on_file(void *user, int fd, int events)
{
	struct trace *trace = user;
	char byte;
	assert_int_equal(events, STINT_READ);
	if (read(fd, &byte, 1) == 1)
		note(trace, byte);
	else
		stint_loop_stop(trace->loop);
}

static void a_regular_file_is_always_ready(void **state)
{
	(void)state;
	struct trace trace = {.loop = new_loop()};
	char path[] = "/tmp/stint-test-XXXXXX";
	int fd = mkstemp(path);
	assert_int_equal(write(fd, "xyz", 3), 3);
	lseek(fd, 0, SEEK_SET);
	struct stint_watch_fd *watch = stint_fd_watch(trace.loop, fd, STINT_READ, on_file, &trace);
	stint_loop_run(trace.loop);
	assert_string_equal(trace.order, "xyz");
	stint_fd_unwatch(watch);
	stint_loop_free(trace.loop);
	close(fd);
	unlink(path);
}

static void on_child(void *user, pid_t pid, int wait_status)
{
	struct trace *trace = user;
	(void)pid;
	trace->status = wait_status;
	stint_loop_stop(trace->loop);
}

static void a_child_is_reaped_with_its_status(void **state)
{
	(void)state;
	struct trace trace = {.loop = new_loop()};
	pid_t pid = fork();
	if (pid == 0)
		_exit(7);
	assert_works(stint_child_watch(trace.loop, pid, on_child, &trace, &err));
	stint_loop_run(trace.loop);
	assert_true(WIFEXITED(trace.status));
	assert_int_equal(WEXITSTATUS(trace.status), 7);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	stint_loop_free(trace.loop);
}

static void a_child_that_somebody_else_reaped_has_not_ended_well(void **state)
{
	(void)state;
	struct trace trace = {.loop = new_loop()};
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	assert_works(stint_child_watch(trace.loop, pid, on_child, &trace, &err));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	stint_loop_run(trace.loop);
	assert_true(WIFEXITED(trace.status));
	assert_int_equal(WEXITSTATUS(trace.status), STINT_CHILD_LOST);
	stint_loop_free(trace.loop);
}

static void on_signal(void *user, int signal_number)
{
	struct trace *trace = user;
	trace->status = signal_number;
	stint_loop_stop(trace->loop);
}

static void a_signal_is_handled_on_the_loop(void **state)
{
	(void)state;
	struct trace trace = {.loop = new_loop()};
	assert_works(stint_signal_watch(trace.loop, SIGUSR1, on_signal, &trace, &err));
	kill(getpid(), SIGUSR1);
	stint_loop_run(trace.loop);
	assert_int_equal(trace.status, SIGUSR1);
	assert_works(stint_signal_watch(trace.loop, SIGUSR1, NULL, NULL, &err));
	stint_loop_free(trace.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order_of_time_then_of_setting),
		cmocka_unit_test(a_handler_may_free_a_watcher_whose_event_is_pending),
		cmocka_unit_test(a_regular_file_is_always_ready),
		cmocka_unit_test(a_child_is_reaped_with_its_status),
		cmocka_unit_test(a_child_that_somebody_else_reaped_has_not_ended_well),
		cmocka_unit_test(a_signal_is_handled_on_the_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
