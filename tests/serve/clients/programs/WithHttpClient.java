import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Java's own client, which offers HTTP/2 with each request: twice over one connection. */
class WithHttpClient {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        String body = "{\"model\": \"tiny\", \"max_tokens\": 8, \"messages\": "
            + "[{\"role\": \"user\", \"content\": \"[ANA] Who left the porridge?\"}]}";
        HttpRequest request = HttpRequest.newBuilder(URI.create(args[0] + "/chat/completions"))
            .header("Authorization", "Bearer " + args[1])
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        for (int turn = 0; turn < 2; turn++) {
            HttpResponse<String> answer =
                client.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200 || !answer.body().contains("\"completion_tokens\":8")) {
                throw new AssertionError(answer.statusCode() + ": " + answer.body());
            }
        }
    }
}
