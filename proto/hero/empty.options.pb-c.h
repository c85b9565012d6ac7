/*
 * Empty on purpose: protoc-c makes the code of every .proto that imports
 * hero/options.proto include this file, and drops the options themselves.
 */
