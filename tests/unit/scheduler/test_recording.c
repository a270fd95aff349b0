/* What a recording promises when its file takes no more: that is said once, and nothing is made into lines any more. */
#include <scheduler/recording.h>

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cluster.h"
#include "core/engine/state.h"

static void count(void *user, enum stint_log_level level, const char *message)
{
	(void)message;
	*(int *)user += level == STINT_LOG_ERROR;
}

static void a_write_that_fails_ends_the_journal(void **state)
{
	struct cluster *c = *state;
	char folder[] = "/tmp/stint-recording-XXXXXX";
	assert_non_null(mkdtemp(folder));
	stint_autofree char *path = stint_format("%s/journal", folder);
	int errors = 0;
	const struct stint_logger logger = {.write = count, .user = &errors, .level = STINT_LOG_INFO};
	struct stint_recording *recording =
		stint_recording_begin(&(struct stint_recording_options){.engine = c->engine, .path = path, .logger = &logger});
	assert_non_null(recording);
	assert_non_null(c->engine->witness.tell);

	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1, limit.rlim_max}), 0);
	cluster_queue(c, "default", 1, 1);
	stint_recording_known(recording);
	cluster_cycle(c);
	setrlimit(RLIMIT_FSIZE, &limit); /* what a failing assertion prints may go to a file */
	signal(SIGXFSZ, before);

	assert_int_equal(errors, 1);
	assert_null(c->engine->witness.tell);
	stint_recording_known(recording);
	stint_recording_end(recording);
	assert_int_equal(errors, 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void a_look_whether_it_can_be_written_changes_nothing(void **state)
{
	(void)state;
	char folder[] = "/tmp/stint-recording-XXXXXX";
	assert_non_null(mkdtemp(folder));
	stint_autofree char *path = stint_format("%s/journal", folder), *none = stint_format("%s/none/journal", folder);
	assert_true(stint_recording_possible(path, NULL));
	assert_int_equal(access(path, F_OK), -1);
	assert_true(stint_file_write(path, "lines\n", 6, 0644, NULL));
	assert_true(stint_recording_possible(path, NULL));
	stint_auto_buf text = {0};
	assert_true(stint_buf_read_file(&text, path, 100, NULL));
	assert_string_equal(text.data, "lines\n");
	const char *const refused[] = {none, folder, "/dev/null"};
	for (size_t i = 0; i < STINT_COUNT(refused); i++) {
		stint_auto_error *err = NULL;
		assert_false(stint_recording_possible(refused[i], &err));
		assert_non_null(strstr(err->message, refused[i]));
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_write_that_fails_ends_the_journal, cluster_setup, cluster_teardown),
		cmocka_unit_test(a_look_whether_it_can_be_written_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
