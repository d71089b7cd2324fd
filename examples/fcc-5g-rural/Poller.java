import java.net.*; import java.net.http.*; // Java 11 and later, nothing to install: java Poller.java

class Poller {
    public static void main(String[] args) throws Exception {
        var url = System.getenv("HMS_URL") + "/api/policies/fcc-5g-rural-power?channel=prod";
        var seconds = Double.parseDouble(System.getenv().getOrDefault("POLL_SECONDS", "5"));
        var client = HttpClient.newHttpClient();
        for (var tag = "\"none\"";; Thread.sleep((long) (seconds * 1000))) {
            var request = HttpRequest.newBuilder(URI.create(url)).timeout(java.time.Duration.ofSeconds(5));
            request.header("Authorization", "Bearer " + System.getenv("HMS_TOKEN")).header("If-None-Match", tag);
            try {
                var answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() == 200) System.out.println("now in force: " + answer.body());
                else if (answer.statusCode() != 304) // 304: what we have is what is in force
                    System.err.println("refused: " + answer.statusCode() + " " + answer.body());
                if (answer.statusCode() == 200) tag = answer.headers().firstValue("ETag").orElse(tag);
            } catch (java.io.IOException error) { System.err.println("no answer, the last rule stays: " + error); }
        }
    }
}
