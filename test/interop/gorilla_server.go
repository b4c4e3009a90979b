// An echo server of gorilla/websocket; server_cases.py says what its paths are for.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

func echo(upgrader *websocket.Upgrader) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		connection, err := upgrader.Upgrade(response, request, nil)
		if err != nil {
			return
		}
		defer connection.Close()
		for {
			kind, message, err := connection.ReadMessage()
			if err != nil || connection.WriteMessage(kind, message) != nil {
				return
			}
		}
	}
}

func refused(response http.ResponseWriter, _ *http.Request) {
	response.WriteHeader(http.StatusForbidden)
	for _, part := range []string{"no to", "ken"} {
		io.WriteString(response, part)
		response.(http.Flusher).Flush()
	}
}

func main() {
	http.HandleFunc("/", echo(&websocket.Upgrader{}))
	http.HandleFunc("/chat", echo(&websocket.Upgrader{Subprotocols: []string{"v2.chat"}}))
	http.HandleFunc("/deflate", echo(&websocket.Upgrader{EnableCompression: true}))
	http.Handle("/moved", http.RedirectHandler("/chat", http.StatusFound))
	http.HandleFunc("/refused", refused)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("ws://%s/\n", listener.Addr())
	panic(http.Serve(listener, nil))
}
