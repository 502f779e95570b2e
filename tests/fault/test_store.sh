#!/bin/sh
# The k-th call of the file system or the store fails, for every k.
exec "${TARN_BUILD:?}/fault_store"
