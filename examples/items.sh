#!/bin/sh
#  items.sh - a REST service: a request of HTTP comes as a JSON object, and so goes the answer; see rest.zpl

case $(cat) in
*'"method":"GET","path":"/items/1"'*) echo '{"status":200,"json":{"id":1,"name":"lamp"}}' ;;
*'"method":"POST","path":"/items"'*) echo '{"status":201,"headers":{"Location":"/items/2"},"json":{"id":2}}' ;;
*) echo '{"status":404,"json":{"error":"no such item"}}' ;;
esac
