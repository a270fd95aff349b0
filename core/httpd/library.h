/*
 * library: libmicrohttpd and GnuTLS, loaded when the first listener starts: most commands of `stint` serve nothing, and should not wait for
 * the loader. Who includes this calls their functions by their own names.
 */
#ifndef STINT_HTTPD_LIBRARY_H
#define STINT_HTTPD_LIBRARY_H

#include <stint/base.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>

#define HTTPD_MHD(X)                         \
	X(MHD_add_response_header)           \
	X(MHD_create_response_for_upgrade)   \
	X(MHD_create_response_from_buffer)   \
	X(MHD_create_response_from_callback) \
	X(MHD_destroy_response)              \
	X(MHD_get_connection_info)           \
	X(MHD_get_daemon_info)               \
	X(MHD_get_timeout)                   \
	X(MHD_lookup_connection_value)       \
	X(MHD_queue_response)                \
	X(MHD_resume_connection)             \
	X(MHD_run)                           \
	X(MHD_start_daemon)                  \
	X(MHD_stop_daemon)                   \
	X(MHD_suspend_connection)            \
	X(MHD_upgrade_action)

struct httpd_mhd {
#define FIELD(function) __typeof__(function) *function;
	HTTPD_MHD(FIELD)
#undef FIELD
};
extern struct httpd_mhd httpd_mhd;

#define HTTPD_TLS(X)                          \
	X(gnutls_bye)                         \
	X(gnutls_certificate_get_peers)       \
	X(gnutls_certificate_verify_peers)    \
	X(gnutls_record_recv)                 \
	X(gnutls_record_send)                 \
	X(gnutls_transport_set_errno)         \
	X(gnutls_transport_set_ptr2)          \
	X(gnutls_transport_set_pull_function) \
	X(gnutls_x509_crt_deinit)             \
	X(gnutls_x509_crt_get_dn_by_oid)      \
	X(gnutls_x509_crt_import)             \
	X(gnutls_x509_crt_init)

struct httpd_tls {
#define FIELD(function) __typeof__(function) *function;
	HTTPD_TLS(FIELD)
#undef FIELD
};
extern struct httpd_tls httpd_tls;
bool httpd_libraries_load(struct stint_error **err); /* once; then it costs nothing */

/* The table's own file sees the names as they are. */
#ifndef HTTPD_LIBRARY_TABLE
#define MHD_add_response_header httpd_mhd.MHD_add_response_header
#define MHD_create_response_for_upgrade httpd_mhd.MHD_create_response_for_upgrade
#define MHD_create_response_from_buffer httpd_mhd.MHD_create_response_from_buffer
#define MHD_create_response_from_callback httpd_mhd.MHD_create_response_from_callback
#define MHD_destroy_response httpd_mhd.MHD_destroy_response
#define MHD_get_connection_info httpd_mhd.MHD_get_connection_info
#define MHD_get_daemon_info httpd_mhd.MHD_get_daemon_info
#define MHD_get_timeout httpd_mhd.MHD_get_timeout
#define MHD_lookup_connection_value httpd_mhd.MHD_lookup_connection_value
#define MHD_queue_response httpd_mhd.MHD_queue_response
#define MHD_resume_connection httpd_mhd.MHD_resume_connection
#define MHD_run httpd_mhd.MHD_run
#define MHD_start_daemon httpd_mhd.MHD_start_daemon
#define MHD_stop_daemon httpd_mhd.MHD_stop_daemon
#define MHD_suspend_connection httpd_mhd.MHD_suspend_connection
#define MHD_upgrade_action httpd_mhd.MHD_upgrade_action
#define gnutls_bye httpd_tls.gnutls_bye
#define gnutls_certificate_get_peers httpd_tls.gnutls_certificate_get_peers
#define gnutls_certificate_verify_peers httpd_tls.gnutls_certificate_verify_peers
#define gnutls_record_recv httpd_tls.gnutls_record_recv
#define gnutls_record_send httpd_tls.gnutls_record_send
#define gnutls_transport_set_errno httpd_tls.gnutls_transport_set_errno
#define gnutls_transport_set_ptr2 httpd_tls.gnutls_transport_set_ptr2
#define gnutls_transport_set_pull_function httpd_tls.gnutls_transport_set_pull_function
#define gnutls_x509_crt_deinit httpd_tls.gnutls_x509_crt_deinit
#define gnutls_x509_crt_get_dn_by_oid httpd_tls.gnutls_x509_crt_get_dn_by_oid
#define gnutls_x509_crt_import httpd_tls.gnutls_x509_crt_import
#define gnutls_x509_crt_init httpd_tls.gnutls_x509_crt_init
#endif

#endif
