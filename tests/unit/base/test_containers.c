/* base: the map, the arena, errors, certificates. */
#include "tests/unit/test.h"

static void a_map_keeps_what_was_put_through_growth_and_removal(void **state)
{
	(void)state;
	struct stint_map *map = stint_map_new(free);
	char key[16];
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		stint_map_set(map, key, stint_strdup(key));
	}
	for (int i = 0; i < 5000; i += 3) {
		snprintf(key, sizeof(key), "key-%d", i);
		assert_true(stint_map_remove(map, key));
		assert_false(stint_map_remove(map, key));
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		if (i % 3 == 0)
			assert_null(stint_map_get(map, key));
		else
			assert_string_equal(stint_map_get(map, key), key);
	}
	assert_int_equal(stint_map_count(map), 5000 - 1667);
	stint_map_free(map);
}

static void removing_while_walking_visits_each_entry_once(void **state)
{
	(void)state;
	struct stint_map *map = stint_map_new(NULL);
	char key[16], seen[1000] = {0};
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		stint_map_set(map, key, &seen[i]);
	}
	const char *name;
	void *value;
	for (size_t at = 0; stint_map_next(map, &at, &name, &value);) {
		(*(char *)value)++;
		if (((char *)value - seen) % 2)
			stint_map_remove(map, name);
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(stint_map_count(map), 500);
	stint_map_free(map);
}

static void churn_does_not_grow_a_map(void **state)
{
	(void)state;
	struct stint_map *map = stint_map_new(free);
	char key[24];
	for (int i = 0; i < 100000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		stint_map_set(map, key, stint_strdup("x"));
		snprintf(key, sizeof(key), "%d", i - 10);
		stint_map_remove(map, key);
	}
	assert_int_equal(stint_map_count(map), 10);
	stint_map_clear(map);
	assert_null(stint_map_get(map, "99999"));
	stint_map_set(map, "again", NULL);
	assert_true(stint_map_has(map, "again"));
	stint_map_free(map);
}

static void an_arena_reuses_its_blocks_after_a_reset(void **state)
{
	(void)state;
	struct stint_arena *arena = stint_arena_new(1024);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++) {
			char *memory = stint_arena_alloc(arena, 100);
			assert_int_equal(memory[99], 0);
			memset(memory, 1, 100);
		}
		if (round == 0)
			*state = (void *)stint_arena_bytes(arena);
		assert_int_equal(stint_arena_bytes(arena), (size_t)*state);
		stint_arena_reset(arena);
	}
	assert_string_equal(stint_arena_strndup(arena, "abcdef", 3), "abc");
	assert_non_null(stint_arena_alloc(arena, 5000));
	stint_arena_free(arena);
	*state = NULL;
}

static void an_error_says_one_sentence_and_wrapping_keeps_its_code(void **state)
{
	(void)state;
	struct stint_error *err = NULL;
	assert_false(stint_fail(&err, STINT_CONFLICT, "project \"%s\" exists", "vision"));
	stint_fail_wrap(&err, "cannot create it");
	assert_int_equal(err->code, STINT_CONFLICT);
	assert_string_equal(err->message, "cannot create it: project \"vision\" exists");
	struct stint_error *other = NULL;
	stint_error_move(&other, &err);
	assert_null(err);
	stint_error_clear(&other);
	assert_null(other);
	assert_false(stint_fail(NULL, STINT_FAILED, "nobody listens"));
}

static void a_certificate_is_signed_by_its_issuer(void **state)
{
	(void)state;
	struct stint_certificate ca = {0}, server = {0};
	static const char *const names[] = {"IP:127.0.0.1", "DNS:localhost", NULL};
	assert_works(stint_certificate_issue(NULL, STINT_CERTIFICATE_CA, "test-ca", NULL, NULL, 30, &ca, &err));
	assert_works(stint_certificate_issue(&ca, STINT_CERTIFICATE_SERVER, "server", "org", names, 30, &server, &err));
	char folder[] = "/tmp/stint-test-XXXXXX";
	assert_non_null(mkdtemp(folder));
	stint_autofree char *ca_file = stint_format("%s/ca.crt", folder);
	stint_autofree char *server_file = stint_format("%s/server.crt", folder);
	assert_works(stint_file_write(ca_file, ca.certificate_pem, strlen(ca.certificate_pem), 0600, &err));
	assert_works(stint_file_write(server_file, server.certificate_pem, strlen(server.certificate_pem), 0600, &err));
	stint_autofree char *verify =
		stint_format("openssl verify -purpose sslserver -verify_ip 127.0.0.1 -CAfile %s %s >/dev/null", ca_file, server_file);
	assert_int_equal(system(verify), 0);
	stint_autofree char *clean = stint_format("rm -r %s", folder);
	assert_int_equal(system(clean), 0);
	stint_certificate_free(&ca);
	stint_certificate_free(&server);
}

static void a_map_that_borrows_keeps_the_caller_s_keys(void **state)
{
	(void)state;
	char first[] = "key", second[] = "key", other[] = "other";
	struct stint_map *map = stint_map_new_borrowing(NULL);
	const char *key = NULL;
	stint_map_set(map, first, first);
	for (size_t at = 0; stint_map_next(map, &at, &key, NULL);)
		assert_ptr_equal(key, first);
	/* Set again it stands on the new one: the former may go. */
	stint_map_set(map, second, second);
	first[0] = '?';
	assert_ptr_equal(stint_map_get(map, "key"), second);
	assert_int_equal(stint_map_count(map), 1);
	stint_map_set(map, other, other);
	assert_true(stint_map_remove(map, "key"));
	assert_false(stint_map_has(map, "key"));
	assert_ptr_equal(stint_map_get(map, "other"), other);
	stint_map_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_keeps_what_was_put_through_growth_and_removal),
		cmocka_unit_test(removing_while_walking_visits_each_entry_once),
		cmocka_unit_test(churn_does_not_grow_a_map),
		cmocka_unit_test(an_arena_reuses_its_blocks_after_a_reset),
		cmocka_unit_test(an_error_says_one_sentence_and_wrapping_keeps_its_code),
		cmocka_unit_test(a_certificate_is_signed_by_its_issuer),
		cmocka_unit_test(a_map_that_borrows_keeps_the_caller_s_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
