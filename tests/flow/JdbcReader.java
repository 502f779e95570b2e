// Reads a catalog through DuckDB's JDBC driver as a desktop client does: java -cp DRIVER JdbcReader.java URL SECONDS QUERY [SQL-FILE]
// Opens the catalog anew again and again, runs the query each time, prints one line a read; "error ..." when anything goes wrong. SECONDS 0: until its
// input ends.
import java.sql.*;
import java.util.Properties;

public class JdbcReader {
    static String read(String url, String init, String query) throws SQLException {
        Properties p = new Properties();
        p.setProperty("duckdb.read_only", "true");
        if (init != null) {
            url += ";session_init_sql_file=" + init;
        }
        try (Connection c = DriverManager.getConnection(url, p); Statement s = c.createStatement(); ResultSet r = s.executeQuery(query)) {
            StringBuilder line = new StringBuilder();
            int n = r.getMetaData().getColumnCount();
            while (r.next()) {
                for (int i = 1; i <= n; i++) {
                    line.append(line.length() > 0 ? "," : "").append(r.getString(i));
                }
            }
            return line.toString();
        }
    }

    static volatile boolean ended;

    public static void main(String[] a) {
        double seconds = Double.parseDouble(a[1]);
        long end = System.nanoTime() + (long) (seconds * 1e9);
        if (seconds == 0) {
            Thread watcher = new Thread(() -> {
                try {
                    while (System.in.read() >= 0) {
                    }
                } catch (java.io.IOException e) {
                    // the end of it, too
                }
                ended = true;
            });
            watcher.setDaemon(true);
            watcher.start();
        }
        do {
            try {
                System.out.println(read(a[0], a.length > 3 ? a[3] : null, a[2]));
            } catch (SQLException e) {
                System.out.println("error " + e.getMessage().replace('\n', ' '));
            }
            System.out.flush();
        } while (seconds == 0 ? !ended : System.nanoTime() < end);
    }
}
