/*
 * The folder of a sandbox: what a crash leaves there neither stops the next start nor is taken for a sandbox that runs.
 */
#include "cli/sandbox/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/test.h"

static int make_folder(void **state)
{
	char *folder = stint_strdup("/tmp/stint-state-XXXXXX");
	assert_non_null(mkdtemp(folder));
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"sandbox.pid", "kubeconfig"};
	for (size_t i = 0; i < STINT_COUNT(names); i++) {
		stint_autofree char *path = state_path(*state, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(*state), 0);
	free(*state);
	return 0;
}

static void put_file(const char *folder, const char *name, const char *text)
{
	stint_autofree char *path = state_path(folder, name);
	assert_true(stint_file_write(path, text, strlen(text), 0600, NULL));
}

static bool has_file(const char *folder, const char *name)
{
	stint_autofree char *path = state_path(folder, name);
	return access(path, F_OK) == 0;
}

static void a_process_that_a_crash_left_named_is_nobodys_sandbox(void **state)
{
	stint_autoclose int lock = -1;
	put_file(*state, "sandbox.pid", "4242\nstint-sandbox found\n");
	assert_int_equal(state_running(*state), 0);
	assert_true(state_lock(*state, &lock, NULL));
	assert_int_equal(state_running(*state), getpid()); /* who starts it, until the daemon names itself */
	assert_true(state_write_pid(lock, 7, NULL));
	assert_int_equal(state_running(*state), 7);
}

static void a_second_start_is_refused_while_the_first_holds_the_folder(void **state)
{
	stint_autoclose int lock = -1, second = -1;
	stint_auto_error *err = NULL;
	assert_true(state_lock(*state, &lock, NULL));
	assert_false(state_lock(*state, &second, &err));
	assert_int_equal(err->code, STINT_CONFLICT);
	stint_close_fd(&lock);
	assert_true(state_lock(*state, &second, NULL));
}

static void leftovers_are_cleared_but_never_under_a_sandbox(void **state)
{
	stint_autoclose int lock = -1;
	assert_true(state_lock(*state, &lock, NULL));
	put_file(*state, "kubeconfig", "x");
	state_clear_stale(*state);
	assert_true(has_file(*state, "kubeconfig"));
	stint_close_fd(&lock);
	state_clear_stale(*state);
	assert_false(has_file(*state, "kubeconfig"));
}

static void a_folder_without_the_mark_is_left_alone(void **state)
{
	static const char *const marks[] = {NULL, "", "4242\n", "notes\nof mine\n"};
	put_file(*state, "kubeconfig", "x");
	for (size_t i = 0; i < STINT_COUNT(marks); i++) {
		stint_autoclose int lock = -1;
		stint_auto_error *err = NULL;
		if (marks[i])
			put_file(*state, "sandbox.pid", marks[i]);
		assert_false(state_lock(*state, &lock, &err));
		assert_int_equal(err->code, STINT_USAGE);
		state_clear_stale(*state);
		assert_true(has_file(*state, "kubeconfig"));
		assert_int_equal(has_file(*state, "sandbox.pid"), marks[i] != NULL);
	}
}

static void a_word_for_a_shell_is_quoted_only_where_it_must_be(void **state)
{
	static const char *const rows[][2] = {
		{"/a/b-1.c", "/a/b-1.c"}, {"", "''"}, {"/a b", "'/a b'"}, {"it's", "'it'\\''s'"}, {"$x", "'$x'"}};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		stint_autofree char *word = state_shell_word(rows[i][0]);
		assert_string_equal(word, rows[i][1]);
	}
}

static void fill_log(int fd, char letter, size_t bytes)
{
	stint_auto_buf text = {0};
	while (text.length < bytes)
		stint_buf_putc(&text, letter);
	assert_int_equal(write(fd, text.data, bytes), bytes);
}

static void expect_file(const char *folder, const char *name, const char *content)
{
	stint_autofree char *path = state_path(folder, name);
	stint_auto_buf text = {0};
	assert_works(stint_buf_read_file(&text, path, 1000, &err));
	stint_buf_puts(&text, "");
	assert_string_equal(text.data, content);
}

static void a_log_that_grew_begins_anew_and_its_end_is_kept(void **state)
{
	const char *folder = *state;
	stint_autofree char *path = state_path(folder, "sandbox.log"), *old_path = state_path(folder, "sandbox.log.1");
	stint_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	fill_log(fd, 'a', 10);
	state_trim_log(folder, fd, 10);
	expect_file(folder, "sandbox.log", "aaaaaaaaaa");
	assert_int_equal(access(old_path, F_OK), -1);
	for (int round = 0; round < 2; round++) {
		fill_log(fd, 'b', 4);
		fill_log(fd, 'c', 9);
		state_trim_log(folder, fd, 10);
		expect_file(folder, "sandbox.log.1", "bccccccccc");
		fill_log(fd, 'd', 2);
		expect_file(folder, "sandbox.log", "dd");
	}
	unlink(path);
	unlink(old_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_process_that_a_crash_left_named_is_nobodys_sandbox, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_second_start_is_refused_while_the_first_holds_the_folder, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(leftovers_are_cleared_but_never_under_a_sandbox, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_folder_without_the_mark_is_left_alone, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_log_that_grew_begins_anew_and_its_end_is_kept, make_folder, remove_folder),
		cmocka_unit_test(a_word_for_a_shell_is_quoted_only_where_it_must_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
