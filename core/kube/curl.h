/*
 * curl: libcurl, loaded when the first client is made. It brings thirty libraries with it, whose loading costs more than everything that a
 * command does which asks no cluster (help, completion, version --client). Who includes this calls its functions by their own names.
 */
#ifndef STINT_KUBE_CURL_H
#define STINT_KUBE_CURL_H

#include <stint/base.h>

/* The checks of argument types cannot see through the table. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define KUBE_CURL(X)                \
	X(curl_easy_cleanup)        \
	X(curl_easy_getinfo)        \
	X(curl_easy_header)         \
	X(curl_easy_init)           \
	X(curl_easy_recv)           \
	X(curl_easy_send)           \
	X(curl_easy_setopt)         \
	X(curl_easy_strerror)       \
	X(curl_free)                \
	X(curl_global_cleanup)      \
	X(curl_global_init)         \
	X(curl_multi_add_handle)    \
	X(curl_multi_assign)        \
	X(curl_multi_cleanup)       \
	X(curl_multi_info_read)     \
	X(curl_multi_init)          \
	X(curl_multi_remove_handle) \
	X(curl_multi_setopt)        \
	X(curl_multi_socket_action) \
	X(curl_multi_strerror)      \
	X(curl_slist_append)        \
	X(curl_slist_free_all)      \
	X(curl_url)                 \
	X(curl_url_cleanup)         \
	X(curl_url_get)             \
	X(curl_url_set)             \
	X(curl_version_info)

struct kube_curl {
#define FIELD(function) __typeof__(function) *function;
	KUBE_CURL(FIELD)
#undef FIELD
};
extern struct kube_curl kube_curl;
bool kube_curl_load(struct stint_error **err); /* once; then it costs nothing */

/* The table's own file sees the names as they are. */
#ifndef KUBE_CURL_TABLE
#define curl_easy_cleanup kube_curl.curl_easy_cleanup
#define curl_easy_getinfo kube_curl.curl_easy_getinfo
#define curl_easy_header kube_curl.curl_easy_header
#define curl_easy_init kube_curl.curl_easy_init
#define curl_easy_recv kube_curl.curl_easy_recv
#define curl_easy_send kube_curl.curl_easy_send
#define curl_easy_setopt kube_curl.curl_easy_setopt
#define curl_easy_strerror kube_curl.curl_easy_strerror
#define curl_free kube_curl.curl_free
#define curl_global_cleanup kube_curl.curl_global_cleanup
#define curl_global_init kube_curl.curl_global_init
#define curl_multi_add_handle kube_curl.curl_multi_add_handle
#define curl_multi_assign kube_curl.curl_multi_assign
#define curl_multi_cleanup kube_curl.curl_multi_cleanup
#define curl_multi_info_read kube_curl.curl_multi_info_read
#define curl_multi_init kube_curl.curl_multi_init
#define curl_multi_remove_handle kube_curl.curl_multi_remove_handle
#define curl_multi_setopt kube_curl.curl_multi_setopt
#define curl_multi_socket_action kube_curl.curl_multi_socket_action
#define curl_multi_strerror kube_curl.curl_multi_strerror
#define curl_slist_append kube_curl.curl_slist_append
#define curl_slist_free_all kube_curl.curl_slist_free_all
#define curl_url kube_curl.curl_url
#define curl_url_cleanup kube_curl.curl_url_cleanup
#define curl_url_get kube_curl.curl_url_get
#define curl_url_set kube_curl.curl_url_set
#define curl_version_info kube_curl.curl_version_info
#endif

#endif
